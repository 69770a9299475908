/** One client of the audio WebSocket: what it is sent, and what waits while it does not keep up. */
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Clock } from '../audio/clock';
import { bytesPerSample, type PcmFormat } from '../audio/format';
import { CloseCode } from '../protocol/close-codes';
import type { ServerMessage } from '../protocol/messages';
import { FRAME_MS, frameSamples, type StreamQuery } from '../protocol/stream-format';
import type { WireFrame } from './packetizer';
import { probePosition } from './websocket-frame';

interface ListenerStats {
  /** Frames written. */
  frames: number;
  /** Payload bytes written. */
  bytes: number;
  /** Frames left out because the listener did not keep up. */
  dropped: number;
}

const CLOCK_EVERY_MS = 1000;
/** Who reads nothing for this long is gone: its network ended without a word. */
const GONE_AFTER_MS = 90_000;
/** Probes remembered: more than fit into the time in which one must be answered. */
const MAX_PROBES = 16;
/** Answers to pings that may wait to be read. */
const MAX_WAITING_ANSWERS = 100;
const NOTHING = Buffer.alloc(0);

interface Probe {
  readonly position: number;
  readonly sentAt: number;
}

/**
 * Writes whole frames straight to the socket, beside ws, whose own frames are written in one go too.
 * A listener keeps up as long as the socket took all that was written and it answers our pings: the kernels on
 * the way would swallow a minute of sound before the socket alone told of it.
 */
export class Listener {
  readonly format: PcmFormat;
  /** Frames left out since the beginning because the listener did not keep up. */
  dropped = 0;
  private stats: ListenerStats = { frames: 0, bytes: 0, dropped: 0 };
  private readonly bytesPerMs: number;
  private readonly frameSamples: number;
  private queue: WireFrame[] = [];
  /** The wire position at which `started` was sent; undefined before. */
  private origin: number | undefined;
  private nextPosition = 0;
  private clockSentAt = -Infinity;
  /** Written and not answered yet, the oldest first. */
  private probes: Probe[] = [];
  private answersProbes = false;
  private keptUpAt: number | undefined;
  /** Answers sent since the socket last had nothing to write. */
  private waitingAnswers = 0;
  private awaitsSocket = false;

  constructor(
    private readonly socket: Duplex,
    private readonly webSocket: WebSocket,
    readonly query: StreamQuery,
    private readonly maxBacklogMs: number,
    private readonly clock: Clock,
  ) {
    this.format = query.format;
    this.frameSamples = frameSamples(this.format.sampleRate);
    this.bytesPerMs = (this.format.sampleRate * bytesPerSample(this.format)) / 1000;
    webSocket.on('pong', (payload) => this.acknowledge(payload));
    webSocket.on('ping', (payload) => this.answer(() => webSocket.pong(payload, false)));
  }

  /** Milliseconds of sound that wait in this process. */
  get backlogMs(): number {
    return this.queue.length * FRAME_MS + this.socket.writableLength / this.bytesPerMs;
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
      this.keptUpAt = now;
      if (this.queue.length > 0) this.drain(now);
      this.write(frame, now);
      return;
    }
    this.queue.push(frame);
    while (this.queue.length > 0 && this.backlogMs > this.maxBacklogMs) {
      this.queue.shift();
      this.dropped++;
      this.stats.dropped++;
    }
    this.keptUpAt ??= now;
    if (now - this.keptUpAt > GONE_AFTER_MS) this.webSocket.terminate();
    else this.awaitSocket();
  }

  /** What was counted since the last call. */
  takeStats(): Readonly<ListenerStats> {
    const taken = this.stats;
    this.stats = { frames: 0, bytes: 0, dropped: 0 };
    return taken;
  }

  /** Sends a text frame. */
  send(message: ServerMessage): void {
    if (this.webSocket.readyState === WebSocket.OPEN) this.webSocket.send(JSON.stringify(message));
  }

  /** Answers a `ping`; a client that sends more than it reads is closed with 1008. */
  pong(): void {
    this.answer(() => this.send({ type: 'pong' }));
  }

  /** Ends the connection, with an `error` text first where there is something to say. */
  close(code: CloseCode, reason: string, message?: string): void {
    this.queue = [];
    if (message !== undefined) this.send({ type: 'error', message });
    this.webSocket.close(code, reason);
  }

  /**
   * The first frame waits for the second: a player's schedule begins where its first frame arrives, so each
   * later frame may come 20 ms later than otherwise before the player runs dry, and none is sent later for it.
   */
  private begin(first: WireFrame): void {
    this.origin = first.position;
    this.nextPosition = first.position;
    const { sampleRate, channels } = this.format;
    this.send({ type: 'started', sample_rate: sampleRate, channels });
    this.queue.push(first);
  }

  private keepsUp(now: number): boolean {
    const [oldest] = this.probes;
    const answered = !oldest || !this.answersProbes || now - oldest.sentAt <= this.maxBacklogMs;
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
    if (this.query.clock && (missed > 0 || now - this.clockSentAt >= CLOCK_EVERY_MS)) {
      const position = frame.position - (this.origin ?? 0);
      this.send({ type: 'clock', position, time: frame.time, dropped: missed });
      this.clockSentAt = now;
    }
    this.socket.write(frame.bytes);
    if (frame.probe && this.probes.length < MAX_PROBES) {
      this.probes.push({ position: frame.position, sentAt: now });
    }
    this.nextPosition = frame.position + this.frameSamples;
    this.stats.frames++;
    this.stats.bytes += this.frameSamples * bytesPerSample(this.format);
  }

  private acknowledge(payload: Buffer): void {
    const position = probePosition(payload);
    if (position === undefined) return;
    this.answersProbes = true;
    this.probes = this.probes.filter((probe) => probe.position > position);
  }

  /** Sends an answer that may have to wait behind others that the client does not read. */
  private answer(send: () => void): void {
    if (this.webSocket.readyState !== WebSocket.OPEN) return;
    if (this.socket.writableLength === 0) this.waitingAnswers = 0;
    if (++this.waitingAnswers > MAX_WAITING_ANSWERS) {
      this.close(CloseCode.policyViolation, 'pings faster than their answers are read');
      return;
    }
    send();
  }
}
