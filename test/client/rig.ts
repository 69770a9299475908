/** A server that does just what a test tells it, and a listener that keeps all it hears. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { OrgoError } from '../../src/audio/errors';
import type { PcmFormat } from '../../src/audio/format';
import type { AudioFrame, PcmFrame } from '../../src/audio/frame';
import { AudioStream, type AudioStreamOptions } from '../../src/client/audio-stream';
import type { EndpointSource } from '../../src/client/endpoint';
import type { LookupRequest } from '../../src/client/orgo-api';
import type { HeardFormat } from '../../src/client/heard-format';
import type { Gap } from '../../src/client/receiver';
import type { AudioStreamSink, HeardFrame, StreamEnd, StreamState } from '../../src/client/stream-events';
import { FakeClock } from '../nodes/fake-clock';

export const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };
export const STARTED = '{"type":"started","sample_rate":24000,"channels":1}';

/** 20 ms of 24 kHz mono in which no two samples are alike. */
export function frameBytes(start = 0, samples = 480): Buffer {
  const data = Buffer.alloc(samples * 2);
  for (let i = 0; i < samples; i++) data.writeInt16LE(((start + i) % 65536) - 32768, i * 2);
  return data;
}

/** Values that come one by one, now or later. */
class Arrivals<T> {
  private readonly waiting: T[] = [];
  private wanted: ((value: T) => void) | undefined;

  push(value: T): void {
    const { wanted } = this;
    this.wanted = undefined;
    if (wanted) wanted(value);
    else this.waiting.push(value);
  }

  next(): Promise<T> {
    const value = this.waiting.shift();
    return value === undefined ? new Promise((resolve) => (this.wanted = resolve)) : Promise.resolve(value);
  }
}

export interface Caller {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** The texts that the client sent so far. */
  readonly texts: string[];
  /** Resolves to the next text. */
  text(): Promise<string>;
  /** Resolves to the code with which it closed. */
  readonly closed: Promise<number>;
}

/** A WebSocket server without any rules. */
export class FakeAudioServer {
  private readonly callers = new Arrivals<Caller>();
  private constructor(
    readonly http: Server,
    readonly url: URL,
  ) {}

  static async listen(http: Server = createServer(), scheme = 'ws'): Promise<FakeAudioServer> {
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    const server = new FakeAudioServer(http, new URL(`${scheme}://127.0.0.1:${port}/audio`));
    new WebSocketServer({ server: http }).on('connection', (socket, request) =>
      server.accept(socket, request),
    );
    return server;
  }

  /** The next client that connects. */
  caller(): Promise<Caller> {
    return this.callers.next();
  }

  async close(): Promise<void> {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }

  private accept(socket: WebSocket, request: IncomingMessage): void {
    const texts: string[] = [];
    const arrivals = new Arrivals<string>();
    socket.on('message', (data: Buffer) => {
      texts.push(data.toString());
      arrivals.push(data.toString());
    });
    socket.on('error', (error) => texts.push(`error: ${error.message}`));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    this.callers.push({ socket, request, texts, text: () => arrivals.next(), closed });
  }
}

/** An HTTP server that answers as told. */
export async function httpServer(
  listener: RequestListener,
): Promise<{ url: URL; close: () => Promise<void> }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/api`),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function isOpus(frame: HeardFrame): frame is AudioFrame<'opus'> {
  return frame.format.encoding === 'opus';
}

/** Keeps what a stream tells. */
export class Hearer implements AudioStreamSink {
  readonly states: StreamState[] = [];
  readonly frames: PcmFrame[] = [];
  readonly packets: AudioFrame<'opus'>[] = [];
  readonly gaps: Gap[] = [];
  readonly ends: StreamEnd[] = [];
  readonly begun: HeardFormat[] = [];
  readonly notices: OrgoError[] = [];
  private checks: (() => void)[] = [];

  onState(state: StreamState): void {
    this.states.push(state);
    this.check();
  }
  onBegin(format: HeardFormat): void {
    this.begun.push(format);
    this.check();
  }
  onFrame(frame: HeardFrame): void {
    if (isOpus(frame)) this.packets.push(frame);
    else this.frames.push(frame);
    this.check();
  }
  onGap(gap: Gap): void {
    this.gaps.push(gap);
    this.check();
  }
  onEnd(end: StreamEnd): void {
    this.ends.push(end);
    this.check();
  }
  onNotice(notice: OrgoError): void {
    this.notices.push(notice);
    this.check();
  }

  /** Resolves once `holds`. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        this.checks = this.checks.filter((other) => other !== check);
        resolve();
      };
      this.checks.push(check);
      check();
    });
  }

  /** Resolves to the state, once it is of this kind; fails where the stream comes to rest in another one first. */
  async state<K extends StreamState['kind']>(kind: K): Promise<Extract<StreamState, { kind: K }>> {
    const from = this.states.length;
    const rests = (): boolean => {
      const last = this.states.at(-1)?.kind;
      return last === 'refused' || (last === 'waiting' && this.states.length > from);
    };
    await this.until(() => this.states.at(-1)?.kind === kind || rests());
    const state = this.states.at(-1);
    const why = state !== undefined && 'error' in state ? `: ${state.error.message}` : '';
    assert.equal(state?.kind, kind, `the stream is ${state?.kind ?? 'silent'}${why}`);
    return state as Extract<StreamState, { kind: K }>;
  }

  /** All sound so far, joined. */
  get sound(): Buffer {
    return Buffer.concat(this.frames.map((frame) => frame.data));
  }

  private check(): void {
    for (const check of [...this.checks]) check();
  }
}

/** Where a test's tokens come from. */
export interface TokenSource {
  readonly renewable: boolean;
  get(request: LookupRequest): Promise<string>;
}

/** A fixed address with tokens that change. */
function endpointsOf(url: URL, source: TokenSource): EndpointSource {
  return {
    renewsToken: source.renewable,
    renewsAddress: false,
    find: async (request) => ({ url, token: await source.get(request) }),
  };
}

/** A token source that gives these one after the other, the last one for ever. */
export function tokens(...values: string[]): TokenSource & { asked: number } {
  return {
    renewable: values.length > 1,
    asked: 0,
    get() {
      const value = values[Math.min(this.asked, values.length - 1)] ?? '';
      this.asked += 1;
      return Promise.resolve(value);
    },
  };
}

export interface Listening {
  readonly stream: AudioStream;
  readonly hearer: Hearer;
  readonly clock: FakeClock;
}

export type ListenOptions = Partial<AudioStreamOptions> & { readonly tokens?: TokenSource };

/** A stream that has been started, on a clock of its own; its waits are half of what they could be. */
export function listenTo(url: URL, { tokens: source, ...options }: ListenOptions = {}): Listening {
  const hearer = new Hearer();
  const clock = new FakeClock();
  const stream = new AudioStream(
    {
      endpoints: endpointsOf(url, source ?? tokens('sesame')),
      format: MONO_24K,
      frameMs: 20,
      fillGaps: true,
      clock,
      random: () => 0.5,
      ...options,
    },
    hearer,
  );
  stream.start();
  return { stream, hearer, clock };
}
