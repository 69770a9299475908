/** A served audio server on a port of its own, and WebSocket clients that keep what they were sent. */
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import type { ServerEvent } from '../../src/server/events';
import { AudioServer } from '../../src/server/audio-server';
import type { AudioServerOptions } from '../../src/server/options';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { ManualSource } from './manual-source';

export const PASSWORD = 'correct-horse';

export class TestClient {
  readonly texts: string[] = [];
  readonly binaries: Buffer[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly webSocket: WebSocket;

  constructor(url: string, options: ClientOptions = {}) {
    this.webSocket = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.webSocket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.binaries.push(data);
      else this.texts.push(data.toString());
      this.webSocket.emit('change');
    });
    this.webSocket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.webSocket.emit('change');
    });
    this.webSocket.on('error', () => this.webSocket.emit('change'));
  }

  /** The JSON texts that came so far. */
  get messages(): Record<string, unknown>[] {
    return this.texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  /** All PCM that came so far. */
  get pcm(): Buffer {
    return Buffer.concat(this.binaries);
  }

  /** Resolves when `condition` holds; it is asked again after everything that arrives. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.webSocket, 'change');
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    await this.until(() => this.closed !== undefined);
    return this.closed!;
  }

  send(message: unknown): void {
    this.webSocket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }
}

export class ServerRig {
  readonly events: ServerEvent[] = [];

  private constructor(
    readonly source: ManualSource,
    readonly audio: AudioServer,
    readonly port: StandaloneListener,
    events: ServerEvent[],
    private readonly secure: '' | 's',
  ) {
    this.events = events;
  }

  static async open(
    options: Partial<AudioServerOptions> = {},
    source = new ManualSource(),
    tls?: { readonly key: string | Buffer; readonly cert: string | Buffer },
  ): Promise<ServerRig> {
    const events: ServerEvent[] = [];
    const audio = new AudioServer({
      source,
      password: PASSWORD,
      onEvent: (event) => events.push(event),
      ...options,
    });
    const port = await StandaloneListener.open(audio, {
      ...{ host: '127.0.0.1', port: 0, tls, maxConnections: 20_000 },
    });
    return new ServerRig(source, audio, port, events, tls ? 's' : '');
  }

  url(query = `token=${PASSWORD}`, path = '/audio'): string {
    return `ws${this.secure}://127.0.0.1:${this.port.port}${path}?${query}`;
  }

  http(path: string): string {
    return `http${this.secure}://127.0.0.1:${this.port.port}${path}`;
  }

  connect(query?: string, path?: string, options?: ClientOptions): TestClient {
    return new TestClient(this.url(query, path), options);
  }

  /** Connects, and waits until the server has admitted the listener. */
  async listen(query = ''): Promise<TestClient> {
    const admitted = (): number => this.events.filter(({ event }) => event === 'listener-connected').length;
    const before = admitted();
    const client = this.connect(`token=${PASSWORD}${query}`);
    await once(client.webSocket, 'open');
    while (admitted() === before) await new Promise(setImmediate);
    return client;
  }

  async close(): Promise<void> {
    await this.audio.close();
    await this.port.close();
  }
}
