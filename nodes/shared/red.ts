/** The part of Node-RED's runtime API that these nodes use, typed; and the one way in which they register. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { asError } from '../../src/audio/errors';

/** A message of a flow. */
export interface Message {
  payload?: unknown;
  topic?: unknown;
  audio?: unknown;
  action?: unknown;
  [property: string]: unknown;
}

/** One message, or one entry per output: a message, several in a row, or null for none. */
export type Outgoing = Message | (Message | Message[] | null)[];
export type Send = (outgoing: Outgoing) => void;

/** What an editor shows below a node. An empty object clears it. */
export interface NodeStatus {
  readonly fill?: 'red' | 'green' | 'yellow' | 'blue' | 'grey';
  readonly shape?: 'ring' | 'dot';
  readonly text?: string;
}

/** A node's saved settings, before they are read: any of them may be missing, or text that stands for a number. */
export interface NodeConfig {
  readonly id: string;
  readonly type: string;
  readonly [setting: string]: unknown;
}

/** A node instance as Node-RED made it. */
export interface RedNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  /** Of the node in the editor that this one was made of, where that is inside a subflow. */
  readonly _alias?: string;
  /** Absent where the type declares none. */
  readonly credentials?: Readonly<Record<string, unknown>>;
  send: Send;
  status(status: NodeStatus): void;
  log(text: string): void;
  warn(text: string): void;
  /** A Catch node gets it only with a `msg`; without one it goes to the log and the sidebar. */
  error(text: string, msg?: Message): void;
  on(event: 'input', listener: (msg: Message, send: Send, done: (error?: Error) => void) => void): void;
  on(event: 'close', listener: (removed: boolean, done: () => void) => void): void;
}

export type HttpHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** As much of an Express application as a node needs. */
export interface HttpApp {
  get(path: string, ...handlers: HttpHandler[]): void;
  use(path: string, ...handlers: HttpHandler[]): void;
}

/** What core's `tls-config` node offers. */
export interface TlsConfigNode {
  /** False where its files could not be read. */
  readonly valid?: boolean;
  /** Adds key, cert, ca, passphrase, servername, rejectUnauthorized … to `options`, and returns it. */
  addTLSOptions<T extends object>(options: T): T;
}

export interface RegisterOptions {
  readonly credentials?: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
}

/** The `RED` that Node-RED hands to a node's module. */
export interface Red {
  readonly nodes: {
    registerType(
      type: string,
      constructor: (this: RedNode, config: NodeConfig) => void,
      options?: RegisterOptions,
    ): void;
    createNode(node: RedNode, config: NodeConfig): void;
    /** The node with this id, whatever its type; null or undefined where there is none. */
    getNode(id: string): unknown;
    /** Calls back with the configuration of every node of the flows. */
    eachNode(callback: (config: NodeConfig) => void): void;
  };
  readonly settings: {
    /** Prefix of every route of `httpNode`; false where HTTP nodes are off. */
    readonly httpNodeRoot?: string | false;
    /** Prefix of the editor and its API; false where they are off. */
    readonly httpAdminRoot?: string | false;
    /** The user name and password that every route of `httpNode` asks for, if any. */
    readonly httpNodeAuth?: unknown;
    /** Everything must come by HTTPS: Node-RED then believes a proxy what it forwards. */
    readonly requireHttps?: boolean;
    /** Options of the Express applications, `trust proxy` among them. */
    readonly httpServerOptions?: Readonly<Record<string, unknown>>;
  };
  /** What happens in the runtime, such as `flows:started` when a deploy is done. */
  readonly events: {
    on(event: string, listener: () => void): unknown;
    off(event: string, listener: () => void): unknown;
  };
  /** Node-RED's own HTTP or HTTPS server. */
  readonly server: Server;
  readonly httpNode: HttpApp;
  /** Absent where the editor and its API are off. */
  readonly httpAdmin?: HttpApp;
  readonly auth: { needsPermission(permission: string): HttpHandler };
  readonly comms: { publish(topic: string, data: unknown, retain: boolean): void };
  /** The text under `key` in the node's own catalog, `__name__` replaced by `values.name`. */
  _(key: string, values?: Readonly<Record<string, unknown>>): string;
}

/** What settings.js has as a root, as `` or `/red`. */
export function trimPath(root: string | undefined): string {
  const trimmed = (root ?? '').replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}

/** What a node does, once its settings were read. */
export interface NodeBehaviour {
  /** Handles one message. `done` is called when it returns or its promise settles; what it throws is the error. */
  onInput?(msg: Message, send: Send): void | Promise<void>;
  /** Frees everything; awaited, for at most the 15 s that Node-RED gives. `removed`: it will not come back. */
  onClose?(removed: boolean): void | Promise<void>;
}

/**
 * Registers a node type whose handlers can neither throw nor reject into the process: Node-RED 4 and 5 both exit
 * on an `input` handler that rejects, and count a `close` handler's parameters to tell whether to wait for it.
 *
 * Where `build` throws (a setting out of range), the node shows `<type>.status.bad-setting` of its catalog in
 * red, reports the error once, and answers every message with it.
 */
export function registerNode(
  RED: Red,
  type: string,
  options: RegisterOptions,
  build: (node: RedNode, config: NodeConfig) => NodeBehaviour,
): void {
  function construct(this: RedNode, config: NodeConfig): void {
    RED.nodes.createNode(this, config);
    const behaviour = buildOrRefuse(RED, this, () => build(this, config));
    this.on('input', (msg, send, done) => {
      settle(() => behaviour.onInput?.(msg, send), done);
    });
    this.on('close', (removed, done) => {
      settle(
        () => behaviour.onClose?.(removed),
        (error) => {
          if (error) this.error(error.message);
          done();
        },
      );
    });
  }
  RED.nodes.registerType(type, construct, options);
}

function buildOrRefuse(RED: Red, node: RedNode, build: () => NodeBehaviour): NodeBehaviour {
  try {
    return build();
  } catch (thrown) {
    const error = asError(thrown);
    node.status({ fill: 'red', shape: 'ring', text: RED._(`${node.type}.status.bad-setting`) });
    node.error(error.message);
    return {
      onInput() {
        throw error;
      },
    };
  }
}

/** Runs `work` and calls `finished` exactly once, with what it threw or rejected with. */
function settle(work: () => void | Promise<void>, finished: (error?: Error) => void): void {
  let result: void | Promise<void>;
  try {
    result = work();
  } catch (thrown) {
    finished(asError(thrown));
    return;
  }
  if (result === undefined) finished();
  else
    result.then(
      () => finished(),
      (thrown: unknown) => finished(asError(thrown)),
    );
}
