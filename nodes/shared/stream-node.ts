/**
 * The one harness of all nodes that change sound. It alone knows messages, streams, idle time, `complete` and
 * `reset`; a node brings a StreamProcessor, which knows sound.
 */
import type { Clock } from '../../src/audio/clock';
import { errorText, OrgoError } from '../../src/audio/errors';
import { descriptionOf, inWords } from './audio-description';
import type { Message, NodeBehaviour, RedNode, Send } from './red';
import { Stream, type StreamOptions } from './stream';
import { WorkQueue, type Work } from './work-queue';

export { processorOf, type Product, type StreamProcessor } from './stream-processor';
export type { Stream } from './stream';

export interface StreamNodeOptions extends StreamOptions {
  /** Called when streams came or went, or what one of them holds or becomes has changed: for the status. */
  onChange?(streams: ReadonlySet<Stream>): void;
  /** Called with each error that a message is answered with; `onChange` follows when one is taken again. */
  onRefused?(error: unknown): void;
}

/** What the harness is given, so that tests stand still. */
export interface Surroundings {
  readonly clock: Clock;
  /** Calls later, when the event loop has seen to everything else; setImmediate. */
  readonly defer: (fn: () => void) => void;
}

/** At most so many streams at once. */
export const MAX_STREAMS = 256;
/** A stream of which nothing was heard for so long is over. */
export const IDLE_MS = 60_000;
/** At most so many bytes wait to be worked off. */
export const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** That streams had to make room is told at most this often. */
const WARN_EVERY_MS = 60_000;
const RESET: Message = { reset: true };

export class StreamNode implements NodeBehaviour {
  private readonly streams = new Map<string, Stream>();
  private readonly queue: WorkQueue;
  private cancelIdle: (() => void) | undefined;
  private warnedAt = -Infinity;
  private refused = false;
  private closed = false;

  constructor(
    private readonly node: RedNode,
    private readonly options: StreamNodeOptions,
    private readonly surroundings: Surroundings,
  ) {
    this.queue = new WorkQueue(surroundings.clock, surroundings.defer);
  }

  /** @throws OrgoError `ORGO_BAD_INPUT`, and whatever a processor throws */
  onInput(msg: Message, send: Send): void | Promise<void> {
    if (this.closed) return undefined;
    try {
      const waiting = this.accept(msg, send);
      if (waiting.length === 0) {
        this.succeed();
        return undefined;
      }
      return Promise.all(waiting).then(
        () => this.succeed(),
        (error: unknown) => this.refuse(error),
      );
    } catch (error) {
      return this.refuse(error);
    }
  }

  onClose(): void {
    this.closed = true;
    this.cancelIdle?.();
    let dropped = 0;
    for (const stream of this.streams.values()) dropped += this.queue.drop(stream.lane);
    if (dropped > 0)
      this.node.warn(`${dropped} messages were still waiting to be worked off: they are dropped`);
    for (const stream of [...this.streams.values()]) this.end(stream, 'closed');
  }

  /** Begins what `msg` asks for; what is returned is not done yet. */
  private accept(msg: Message, send: Send): Promise<void>[] {
    const { payload } = msg;
    const resets = msg['reset'] !== undefined;
    const described = descriptionOf(msg) !== undefined;
    const sounds = Buffer.isBuffer(payload);
    const bytes = sounds ? payload.length : 0;
    this.checkWaiting(bytes);
    const waiting: (void | Promise<void>)[] = [];
    if (resets && !described) {
      for (const stream of this.streams.values())
        waiting.push(this.run(stream, this.work(stream, RESET, send), 0));
    }
    if (sounds || msg['complete'] === true) {
      const stream = this.streamFor(this.nameOf(msg));
      waiting.push(this.run(stream, this.work(stream, msg, send), bytes));
    } else if (resets && described) {
      const stream = this.streams.get(this.nameOf(msg));
      if (stream) waiting.push(this.run(stream, this.work(stream, RESET, send), 0));
    } else if (!resets) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `msg.payload is ${inWords(payload)}: a Buffer of sound is wanted`,
      );
    }
    return waiting.filter((work) => work !== undefined);
  }

  private run(stream: Stream, work: Work, bytes: number): void | Promise<void> {
    return this.queue.run(stream.lane, work, bytes);
  }

  private *work(stream: Stream, msg: Message, send: Send): Work {
    const { clock } = this.surroundings;
    try {
      yield* stream.take(msg, send, clock.now() + clock.epochOffset());
    } finally {
      this.release(stream);
    }
  }

  private streamFor(name: string): Stream {
    const stream = this.streams.get(name) ?? this.open(name);
    stream.usedAt = this.surroundings.clock.now();
    return stream;
  }

  private open(name: string): Stream {
    if (this.streams.size >= MAX_STREAMS) this.makeRoom();
    const stream = new Stream(name, this.options, () => this.changed());
    this.streams.set(name, stream);
    if (!this.cancelIdle) this.watchIdle(IDLE_MS);
    return stream;
  }

  /** Forgets a stream that holds nothing, and for which nothing waits but the message that is worked off now. */
  private release(stream: Stream): void {
    if (stream.holds || stream.lane.jobs.length > 1) return;
    if (this.streams.get(stream.name) === stream) this.streams.delete(stream.name);
    this.changed();
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` where every stream has work waiting */
  private makeRoom(): void {
    const idle = [...this.streams.values()].filter(({ lane }) => lane.idle);
    const [first, ...others] = idle;
    if (!first) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `All ${MAX_STREAMS} streams of this node are busy: a new one has no room`,
      );
    }
    const victim = others.reduce(
      (oldest, stream) => (stream.usedAt < oldest.usedAt ? stream : oldest),
      first,
    );
    this.end(victim, 'idle');
    const now = this.surroundings.clock.now();
    if (now - this.warnedAt < WARN_EVERY_MS) return;
    this.warnedAt = now;
    this.node.warn(
      `More than ${MAX_STREAMS} streams at once: the one idle longest, ${victim.name}, was ended to make room`,
    );
  }

  private end(stream: Stream, reason: string): void {
    const { clock } = this.surroundings;
    this.streams.delete(stream.name);
    if (stream.format !== undefined) {
      try {
        stream.end(reason, this.node.send.bind(this.node), clock.now() + clock.epochOffset());
      } catch (error) {
        const text = `The stream ${stream.name} could not be ended properly: ${errorText(error)}`;
        // Without a message of its own, an error reaches no Catch node.
        this.node.error(text, { topic: stream.name });
      }
    }
    this.changed();
  }

  private watchIdle(ms: number): void {
    const { clock } = this.surroundings;
    this.cancelIdle = clock.after(ms, () => {
      this.cancelIdle = undefined;
      const overBefore = clock.now() - IDLE_MS;
      let oldest = Infinity;
      for (const stream of [...this.streams.values()]) {
        if (stream.usedAt <= overBefore && stream.lane.idle) this.end(stream, 'idle');
        else oldest = Math.min(oldest, stream.lane.idle ? stream.usedAt : clock.now());
      }
      if (this.streams.size > 0) this.watchIdle(oldest + IDLE_MS - clock.now());
    });
  }

  private nameOf(msg: Message): string {
    for (const name of [descriptionOf(msg)?.['stream'], msg.topic]) {
      if (typeof name === 'number') return String(name);
      if (typeof name === 'string' && name !== '') return name;
    }
    return this.node.id;
  }

  private checkWaiting(bytes: number): void {
    if (this.queue.waitingBytes + bytes <= MAX_WAITING_BYTES) return;
    const megabytes = (count: number): string => `${(count / 1024 / 1024).toFixed(0)} MB`;
    throw new OrgoError(
      'ORGO_BAD_INPUT',
      `msg.payload has ${megabytes(bytes)}, and ${megabytes(this.queue.waitingBytes)} wait already: ` +
        `at most ${megabytes(MAX_WAITING_BYTES)} may wait to be worked off. Send less at a time`,
    );
  }

  private succeed(): void {
    if (!this.refused) return;
    this.refused = false;
    this.changed();
  }

  private refuse(error: unknown): never {
    this.refused = true;
    this.options.onRefused?.(error);
    throw error;
  }

  private changed(): void {
    if (!this.closed) this.options.onChange?.(new Set(this.streams.values()));
  }
}
