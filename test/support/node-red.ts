/** A real Node-RED in a process of its own: flows go in through its admin API, debug messages come out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import { adopt, endChild } from './sound-clients';

/** A guard against what never comes, no more: a busy machine may be many times slower. */
const WAIT_LIMIT_MS = 120_000;
const POLL_MS = 50;

/** A node as the flow's JSON has it. */
export interface FlowNode {
  id: string;
  type: string;
  name?: string;
  [property: string]: unknown;
}

/** What a debug node sent to the sidebar. */
export interface DebugMessage {
  /** Of the debug node. */
  readonly name: string;
  /** The payload: text, or JSON where it was an object. */
  readonly msg: string;
}

/** What the editor's channel carries. */
interface CommsEvent {
  readonly topic: string;
  readonly data: unknown;
}

const STATUS_TOPIC = 'status/';

export interface NodeRedOptions {
  /** Path of the Node binary. */
  readonly node: string;
  /** Path of Node-RED's red.js. */
  readonly red: string;
  readonly userDir: string;
  /** Merged over this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** More of settings.js. */
  readonly settings?: object;
  /** Left out: a free one. */
  readonly port?: number;
}

export interface NodeRed {
  readonly url: string;
  readonly pid: number;
  /** Everything it printed so far. */
  log(): string;
  get(path: string): Promise<unknown>;
  /** Replaces all flows, or the nodes that differ; debug messages from before are forgotten. */
  deploy(flow: readonly FlowNode[], what?: 'full' | 'nodes'): Promise<void>;
  /** Presses the button of an inject node. */
  press(id: string): Promise<void>;
  /** The first message of the debug node `name`, since the last deploy, that `accept` takes. */
  debug(name: string, accept?: (message: DebugMessage) => boolean): Promise<DebugMessage>;
  /** Waits until the status of a node has a text that `accept` takes. */
  status(id: string, accept: (text: string) => boolean): Promise<void>;
  /** Asks it to stop, as Ctrl-C does. @returns its exit code */
  stop(): Promise<number | null>;
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given');
  return address.port;
}

/** Whether someone listens on `port` of 127.0.0.1. */
export async function isPortTaken(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(true);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)));
  });
}

/** The channel through which Node-RED tells an editor what its debug nodes and statuses say. */
export class EditorChannel {
  messages: DebugMessage[] = [];
  /** The status text of each node, by its id. */
  readonly statuses = new Map<string, string>();

  private constructor(private readonly webSocket: WebSocket) {
    webSocket.on('message', (data: Buffer) => {
      for (const event of JSON.parse(data.toString()) as CommsEvent[]) this.take(event);
    });
  }

  /** @param url of Node-RED */
  static async open(url: string): Promise<EditorChannel> {
    const webSocket = new WebSocket(`${url.replace('http', 'ws')}/comms`);
    const channel = new EditorChannel(webSocket);
    await once(webSocket, 'open');
    for (const topic of ['debug', 'status/#']) webSocket.send(JSON.stringify({ subscribe: topic }));
    return channel;
  }

  /** Resolves when something more was told. */
  async changed(): Promise<void> {
    await once(this.webSocket, 'message');
  }

  close(): void {
    this.webSocket.terminate();
  }

  private take({ topic, data }: CommsEvent): void {
    if (topic === 'debug') this.messages.push(data as DebugMessage);
    else if (topic.startsWith(STATUS_TOPIC)) {
      this.statuses.set(topic.slice(STATUS_TOPIC.length), (data as { text?: string }).text ?? '');
    }
  }
}

/** Starts Node-RED with a fresh settings file in `userDir`; resolves when its admin API answers. */
export async function startNodeRed({
  node,
  red,
  userDir,
  env = {},
  settings: more = {},
  port: wanted,
}: NodeRedOptions): Promise<NodeRed> {
  const port = wanted ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: 'of a test',
    telemetry: { enabled: false, updateNotification: false },
    // A tour of what is new would lie over the editor.
    editorTheme: { tours: false },
    ...more,
  };
  const settingsFile = join(userDir, 'settings.js');
  await writeFile(settingsFile, `module.exports = ${JSON.stringify(settings)};`);
  const child = adopt(
    spawn(node, [red, '--userDir', userDir, '--settings', settingsFile], {
      cwd: userDir,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const printed: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => printed.push(chunk));
  const log = (): string => Buffer.concat(printed).toString();
  let messages = (): readonly DebugMessage[] => [];

  async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const deadline = performance.now() + WAIT_LIMIT_MS;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (child.exitCode !== null) throw new Error(`Node-RED ended before ${what}:\n${log()}`);
      if (performance.now() > deadline) {
        const seen = messages().map(({ name, msg }) => `${name}: ${msg}`);
        throw new Error(`${WAIT_LIMIT_MS} ms passed without ${what}:\n${log()}\n${seen.join('\n')}`);
      }
      await delay(POLL_MS);
    }
  }

  async function request(
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Response> {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json', ...init.headers };
    const response = await fetch(`${url}${path}`, { ...init, headers });
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
    return response;
  }

  try {
    await until('its admin API answered', () =>
      request('/flows').then(
        () => true,
        () => undefined,
      ),
    );
  } catch (error) {
    await endChild(child, 'SIGTERM');
    throw error;
  }
  const channel = await EditorChannel.open(url);
  messages = () => channel.messages;

  return {
    url,
    pid: child.pid ?? 0,
    log,
    get: async (path) => (await request(path)).json(),
    async deploy(flow, what = 'full') {
      const headers = { 'Node-RED-Deployment-Type': what };
      await request('/flows', { method: 'POST', headers, body: JSON.stringify(flow) });
      channel.messages = [];
    },
    async status(id, accept) {
      const look = (): true | undefined => accept(channel.statuses.get(id) ?? '') || undefined;
      await until(`the status of ${id} that was waited for`, look);
    },
    async press(id) {
      // Flows start after their deployment was answered; until then no such node is known.
      const press = (): Promise<true | undefined> =>
        request(`/inject/${id}`, { method: 'POST', body: '{}' }).then(
          () => true,
          () => undefined,
        );
      await until(`the button of ${id}`, press);
    },
    debug: (name, accept = () => true) =>
      until(`the message of the debug node "${name}" that was waited for`, () =>
        channel.messages.find((message) => message.name === name && accept(message)),
      ),
    async stop() {
      channel.close();
      await endChild(child, 'SIGTERM');
      return child.exitCode;
    },
  };
}
