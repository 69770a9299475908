/** As much of Node-RED as a node needs to run: it keeps what the node sent, showed and reported. */
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type {
  HttpApp,
  Message,
  NodeConfig,
  NodeStatus,
  Outgoing,
  Red,
  RedNode,
  RegisterOptions,
} from '../../nodes/shared/red';

type Constructor = (this: RedNode, config: NodeConfig) => void;
type InputListener = (msg: Message, send: (out: Outgoing) => void, done: (error?: Error) => void) => void;
type CloseListener = (removed: boolean, done: () => void) => void;

/** A node as the flow sees it. Emits `sent`, `status` and `error` as they happen. */
export class FakeNode extends EventEmitter implements RedNode {
  id = '';
  type = '';
  credentials: Record<string, unknown> = {};
  readonly sent: Outgoing[] = [];
  readonly statuses: NodeStatus[] = [];
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  readonly logs: string[] = [];
  inputListener: InputListener | undefined;
  closeListener: CloseListener | undefined;

  send = (outgoing: Outgoing): void => {
    this.sent.push(outgoing);
    this.emit('sent', outgoing);
  };

  status(status: NodeStatus): void {
    this.statuses.push(status);
    this.emit('status', status);
  }

  log(text: string): void {
    this.logs.push(text);
  }

  warn(text: string): void {
    this.warnings.push(text);
  }

  error(text: string): void {
    this.errors.push(text);
    this.emit('failed', text);
  }

  override on(event: string, listener: (...args: never[]) => void): this {
    if (event === 'input') this.inputListener = listener as unknown as InputListener;
    else if (event === 'close') this.closeListener = listener as unknown as CloseListener;
    else super.on(event, listener as (...args: unknown[]) => void);
    return this;
  }

  /** Sends a message in; resolves to what `done` was called with, and counts a second call as a failure. */
  receive(msg: Message): Promise<Error | undefined> {
    return new Promise((resolve, reject) => {
      let calls = 0;
      this.inputListener?.(msg, this.send, (error) => {
        calls += 1;
        if (calls > 1) reject(new Error('done was called twice'));
        resolve(error);
      });
    });
  }

  /** Closes the node as a deploy does; resolves once it says that it is done. */
  close(removed = false): Promise<void> {
    return new Promise((resolve) => {
      if (this.closeListener) this.closeListener(removed, resolve);
      else resolve();
    });
  }

  /** What went out of output `index` so far. */
  output(index: number): Message[] {
    return this.sent.flatMap((outgoing) => {
      const at = Array.isArray(outgoing) ? outgoing[index] : index === 0 ? outgoing : undefined;
      return at ? (Array.isArray(at) ? at : [at]) : [];
    });
  }

  /** Resolves to the first message of output `index`, past or to come, for which `wanted` holds. */
  until(index: number, wanted: (msg: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.output(index).find(wanted);
        if (!found) return;
        this.off('sent', look);
        resolve(found);
      };
      this.on('sent', look);
      look();
    });
  }

  get lastStatus(): NodeStatus | undefined {
    return this.statuses.at(-1);
  }
}

const NO_APP: HttpApp = {
  get: () => undefined,
  use: () => undefined,
};

/** Texts come back as their key's last part, followed by the values: `connected {"rate":24000}`. */
export class FakeRed implements Red {
  readonly types = new Map<string, { construct: Constructor; options: RegisterOptions }>();
  readonly instances = new Map<string, unknown>();
  /** The configuration of every node of the flows. */
  readonly configs: NodeConfig[] = [];
  settings: Red['settings'] = {};
  readonly events = new EventEmitter();
  readonly server = createServer();
  httpNode: HttpApp = NO_APP;
  readonly httpAdmin = NO_APP;
  readonly auth = { needsPermission: () => () => undefined };
  readonly comms = { publish: () => undefined };
  readonly nodes: Red['nodes'] = {
    registerType: (type, construct, options = {}) => {
      this.types.set(type, { construct, options });
    },
    createNode: (node, config) => {
      Object.assign(node, {
        id: config.id,
        type: config.type,
        ...('name' in config && { name: config['name'] }),
      });
      this.instances.set(config.id, node);
      this.configs.push(config);
    },
    eachNode: (callback) => {
      for (const config of this.configs) callback(config);
    },
    getNode: (id) => this.instances.get(id) ?? null,
  };

  _(key: string, values?: Readonly<Record<string, unknown>>): string {
    const word = key.slice(key.lastIndexOf('.') + 1);
    return values ? `${word} ${JSON.stringify(values)}` : word;
  }

  /** Makes a node as a deploy does. */
  create(
    type: string,
    config: Record<string, unknown> = {},
    credentials: Record<string, unknown> = {},
  ): FakeNode {
    const registered = this.types.get(type);
    if (!registered) throw new Error(`no node type ${type} is registered`);
    const node = new FakeNode();
    node.credentials = credentials;
    registered.construct.call(node, { id: `${type}-${this.instances.size}`, type, ...config });
    return node;
  }
}
