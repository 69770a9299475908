/** One client of the audio WebSocket: what it is sent, and what waits while it does not keep up. */
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Clock } from '../audio/clock';
import type { CloseCode } from '../protocol/close-codes';
import { ControlMessages, sendMessage } from './control-messages';
import { LifeSigns } from './life-signs';
import type { WireFrame } from './packetizer';
import { probePosition } from './websocket-frame';
import type { WireStream } from './wire-stream';

interface ListenerStats {
  /** Frames written. */
  frames: number;
  /** Payload bytes written. */
  bytes: number;
  /** Frames left out because the listener did not keep up. */
  dropped: number;
}

export interface ListenerOptions {
  /** The connection, and the WebSocket on it. */
  readonly socket: Duplex;
  readonly webSocket: WebSocket;
  readonly stream: WireStream;
  /** Whether the client asked for the clock extension. */
  readonly sendsClock: boolean;
  /** Milliseconds of sound that may wait. */
  readonly maxBacklogMs: number;
  readonly clock: Clock;
}

const CLOCK_EVERY_MS = 1000;
/** Probes remembered: more than fit into the time in which one must be answered. */
const MAX_PROBES = 16;
const NOTHING = Buffer.alloc(0);

interface Probe {
  readonly position: number;
  readonly sentAt: number;
}

/**
 * Writes whole frames straight to the socket, beside ws, whose own frames are written in one go too.
 * A listener keeps up as long as the socket took all that was written and it answers our pings: the kernels on
 * the way would swallow a minute of sound before the socket alone showed it.
 */
export class Listener {
  readonly stream: WireStream;
  /** Frames left out since the beginning because the listener did not keep up. */
  dropped = 0;
  private readonly socket: Duplex;
  private readonly webSocket: WebSocket;
  private readonly clock: Clock;
  private readonly lifeSigns: LifeSigns;
  private stats: ListenerStats = { frames: 0, bytes: 0, dropped: 0 };
  private queue: WireFrame[] = [];
  /** The wire position at which `started` was sent; undefined before. */
  private origin: number | undefined;
  private nextPosition = 0;
  private clockSentAt = -Infinity;
  /** Written and not answered yet, the oldest first. */
  private probes: Probe[] = [];
  private answersProbes = false;
  private awaitsSocket = false;

  constructor(private readonly options: ListenerOptions) {
    const { socket, webSocket, stream, clock } = options;
    this.stream = stream;
    this.socket = socket;
    this.webSocket = webSocket;
    this.clock = clock;
    this.lifeSigns = new LifeSigns(
      clock,
      () => webSocket.ping(NOTHING, false),
      () => webSocket.terminate(),
    );
    const seen = (): void => this.lifeSigns.seen(clock.now());
    webSocket.on('pong', (payload) => this.acknowledge(payload));
    for (const event of ['ping', 'pong', 'message']) webSocket.on(event, seen);
    webSocket.once('close', () => this.lifeSigns.close());
    new ControlMessages(socket, webSocket, clock, (code, reason, message) => {
      this.close(code, reason, message);
    });
  }

  /** Milliseconds of sound that wait in this process. */
  get backlogMs(): number {
    const { frameMs, bytesPerMs } = this.stream;
    return this.queue.length * frameMs + this.socket.writableLength / bytesPerMs;
  }

  /**
   * Sends `frame`, or lets it wait; the oldest that waits is dropped when the backlog grows past its bound.
   * @param now monotonic ms
   */
  deliver(frame: WireFrame, now: number): void {
    if (this.webSocket.readyState !== WebSocket.OPEN) return;
    if (this.origin === undefined) {
      this.begin(frame);
      return;
    }
    if (this.keepsUp(now)) {
      this.lifeSigns.seen(now);
      if (this.queue.length > 0) this.drain(now);
      this.write(frame, now);
      return;
    }
    this.queue.push(frame);
    while (this.queue.length > 0 && this.backlogMs > this.options.maxBacklogMs) {
      this.queue.shift();
      this.dropped++;
      this.stats.dropped++;
    }
    this.awaitSocket();
  }

  /** What was counted since the last call. */
  takeStats(): Readonly<ListenerStats> {
    const taken = this.stats;
    this.stats = { frames: 0, bytes: 0, dropped: 0 };
    return taken;
  }

  /** Ends the connection, with an `error` text first where there is something to say. */
  close(code: CloseCode, reason: string, message?: string): void {
    this.queue = [];
    if (message !== undefined) sendMessage(this.webSocket, { type: 'error', message });
    this.webSocket.close(code, reason);
  }

  /**
   * The first frame waits for the second: a player's schedule begins where its first frame arrives, so each
   * later frame may come 20 ms later than otherwise before the player runs dry, and none is sent later for it.
   */
  private begin(first: WireFrame): void {
    this.origin = first.position;
    this.nextPosition = first.position;
    sendMessage(this.webSocket, this.stream.started);
    this.queue.push(first);
  }

  private keepsUp(now: number): boolean {
    const [oldest] = this.probes;
    const answered = !oldest || !this.answersProbes || now - oldest.sentAt <= this.options.maxBacklogMs;
    return answered && this.socket.writableLength === 0;
  }

  /**
   * Sends what waits as soon as the socket took all before it. Under TLS no write is done in its own turn, so
   * of several frames that come at once all but the first would wait for the next one to come.
   */
  private awaitSocket(): void {
    if (this.awaitsSocket || this.socket.writableLength === 0) return;
    this.awaitsSocket = true;
    this.socket.write(NOTHING, () => {
      this.awaitsSocket = false;
      if (this.queue.length === 0 || this.webSocket.readyState !== WebSocket.OPEN) return;
      const now = this.clock.now();
      this.lifeSigns.seen(now);
      if (this.keepsUp(now)) this.drain(now);
      else this.awaitSocket();
    });
  }

  private drain(now: number): void {
    this.socket.cork();
    for (const frame of this.queue) this.write(frame, now);
    this.queue = [];
    this.socket.uncork();
  }

  private write(frame: WireFrame, now: number): void {
    const missed = frame.position - this.nextPosition;
    if (this.options.sendsClock && (missed > 0 || now - this.clockSentAt >= CLOCK_EVERY_MS)) {
      const position = frame.position - (this.origin ?? 0);
      sendMessage(this.webSocket, { type: 'clock', position, time: frame.time, dropped: missed });
      this.clockSentAt = now;
    }
    this.socket.write(frame.bytes);
    if (frame.probe && this.probes.length < MAX_PROBES) {
      this.probes.push({ position: frame.position, sentAt: now });
    }
    this.lifeSigns.sent(now);
    this.nextPosition = frame.position + this.stream.frameSamples;
    this.stats.frames++;
    this.stats.bytes += frame.payloadBytes;
  }

  private acknowledge(payload: Buffer): void {
    const position = probePosition(payload);
    if (position === undefined) return;
    this.answersProbes = true;
    this.probes = this.probes.filter((probe) => probe.position > position);
  }
}
