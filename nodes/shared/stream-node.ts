/**
 * The one harness of all nodes that change sound. It alone knows messages, streams, idle time, `complete` and
 * `reset`; a node brings a NodeTransform, which knows sound.
 */
import { systemClock, type Clock } from '../../src/audio/clock';
import { asError, badInput, errorText } from '../../src/audio/errors';
import { descriptionOf, inWords, streamNameOf } from './audio-description';
import type { Message, NodeBehaviour, RedNode, Send } from './red';
import { numbersOf } from './messages/numbers';
import { Stream, type Arrival, type StreamHost, type StreamOptions } from './stream';
import { drive, WorkQueue, type Work } from '../../src/audio/work-queue';

export type { CreateTransform, FrameOrigin, NodeTransform, TransformContext } from './node-transform';
export type { Stream } from './stream';

export interface StreamNodeOptions<Live = unknown> extends StreamOptions<Live> {
  /** Called when streams came or went, or what one of them holds or becomes has changed: for the status. */
  onChange?(streams: ReadonlySet<Stream<Live>>): void;
  /** Called with each error that a message is answered with; `onChange` follows when one is taken again. */
  onRefused?(error: unknown): void;
}

/** What the harness is given, so that tests stand still. */
export interface Dependencies {
  readonly clock: Clock;
  /** Calls later, when the event loop has seen to everything else; setImmediate. */
  readonly defer: (fn: () => void) => void;
}

export const SYSTEM_DEPENDENCIES: Dependencies = { clock: systemClock, defer: (fn) => void setImmediate(fn) };

/** At most so many streams at once. */
export const MAX_STREAMS = 256;
/** A stream that brings nothing for this long is over. */
export const IDLE_MS = 60_000;
/** At most so many bytes wait to be processed. */
export const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** A warning that streams had to make room comes at most this often. */
const WARN_EVERY_MS = 60_000;
const RESET: Message = { reset: true };

export class StreamNode<Live = unknown> implements NodeBehaviour {
  private readonly streams = new Map<string, Stream<Live>>();
  private readonly queue: WorkQueue;
  private readonly host: StreamHost;
  private cancelIdle: (() => void) | undefined;
  private warnedAt = -Infinity;
  private refused = false;
  private closed = false;

  constructor(
    private readonly node: Pick<RedNode, 'id' | 'send' | 'warn' | 'error'>,
    private readonly options: StreamNodeOptions<Live>,
    private readonly dependencies: Dependencies,
  ) {
    const { clock, defer } = dependencies;
    this.queue = new WorkQueue(clock, defer);
    this.host = {
      clock,
      send: (outgoing) => node.send(outgoing),
      onChange: () => this.refresh(),
      onFailure: (error, { topic }) => this.report(error.message, topic),
    };
  }

  /** @throws OrgoError `ORGO_BAD_INPUT`, and whatever a transform throws */
  onInput(msg: Message, send: Send): void | Promise<void> {
    if (this.closed) return undefined;
    const waiting: Promise<void>[] = [];
    for (const [stream, job] of this.jobsFor(msg)) {
      const work = this.begin(stream, job, send);
      if (work) waiting.push(work);
    }
    if (waiting.length > 0) return this.settled(waiting);
    this.succeed();
    return undefined;
  }

  onClose(): void | Promise<void> {
    this.closed = true;
    this.cancelIdle?.();
    let dropped = 0;
    for (const stream of this.streams.values()) dropped += this.queue.drop(stream.queue);
    if (dropped > 0)
      this.node.warn(`${dropped} messages were still waiting to be processed: they are dropped`);
    const ending: Promise<void>[] = [];
    for (const stream of [...this.streams.values()]) {
      const end = this.end(stream, 'closed');
      if (end) ending.push(end);
    }
    return ending.length > 0 ? Promise.all(ending).then(() => undefined) : undefined;
  }

  /** Works `msg` off, at once where nothing waits. One stream's failure keeps no other one from its work. */
  private begin(stream: Stream<Live>, msg: Message, send: Send): void | Promise<void> {
    const bytes = Buffer.isBuffer(msg.payload) ? msg.payload.length : 0;
    try {
      const live = this.options.live?.() as Live;
      return this.queue.run(stream.queue, this.work(stream, { msg, send, live }), bytes);
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  private jobsFor(msg: Message): [Stream<Live>, Message][] {
    try {
      return this.jobsOf(msg);
    } catch (error) {
      return this.refuse(error);
    }
  }

  /** What `msg` asks for, by the streams that it concerns. */
  private jobsOf(msg: Message): [Stream<Live>, Message][] {
    const { payload } = msg;
    const described = descriptionOf(msg) !== undefined;
    const resets = msg['reset'] !== undefined;
    numbersOf(descriptionOf(msg));
    const jobs: [Stream<Live>, Message][] = [];
    if (resets && !described) for (const stream of this.streams.values()) jobs.push([stream, RESET]);
    if (Buffer.isBuffer(payload) || msg['complete'] === true) {
      this.checkWaiting(Buffer.isBuffer(payload) ? payload.length : 0);
      jobs.push([this.streamFor(this.nameOf(msg)), msg]);
    } else if (resets) {
      const stream = described ? this.streams.get(this.nameOf(msg)) : undefined;
      if (stream) jobs.push([stream, RESET]);
    } else {
      throw badInput(`msg.payload is ${inWords(payload)}: a Buffer of sound is wanted`);
    }
    return jobs;
  }

  /** Waits for all of it, so that `done` comes when the message has been processed completely. */
  private async settled(waiting: readonly Promise<void>[]): Promise<void> {
    const results = await Promise.allSettled(waiting);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) this.refuse(failed.reason);
    this.succeed();
  }

  private *work(stream: Stream<Live>, arrival: Arrival<Live>): Work {
    try {
      yield* stream.take(arrival);
    } finally {
      this.release(stream);
    }
  }

  private streamFor(name: string): Stream<Live> {
    const stream = this.streams.get(name) ?? this.open(name);
    stream.usedAt = this.dependencies.clock.now();
    return stream;
  }

  private open(name: string): Stream<Live> {
    if (this.streams.size >= MAX_STREAMS) this.makeRoom();
    const stream = new Stream(name, this.options, this.host);
    this.streams.set(name, stream);
    if (!this.cancelIdle) this.watchIdle(IDLE_MS);
    return stream;
  }

  /** Forgets a stream that holds nothing, unless another message than the one at work waits for it. */
  private release(stream: Stream<Live>): void {
    if (stream.holds || stream.queue.jobs.length > 1) return;
    if (this.streams.get(stream.name) === stream) this.streams.delete(stream.name);
    this.refresh();
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` where every stream has work waiting */
  private makeRoom(): void {
    const idle = [...this.streams.values()].filter(({ queue }) => queue.idle);
    const [first, ...others] = idle;
    if (!first) {
      throw badInput(`All ${MAX_STREAMS} streams of this node are busy: a new one has no room`);
    }
    const victim = others.reduce(
      (oldest, stream) => (stream.usedAt < oldest.usedAt ? stream : oldest),
      first,
    );
    void this.end(victim, 'idle');
    const now = this.dependencies.clock.now();
    if (now - this.warnedAt < WARN_EVERY_MS) return;
    this.warnedAt = now;
    this.node.warn(
      `More than ${MAX_STREAMS} streams at once: the one idle longest, ${victim.name}, was ended to make room`,
    );
  }

  private end(stream: Stream<Live>, reason: string): void | Promise<void> {
    this.streams.delete(stream.name);
    let end: void | Promise<void> = undefined;
    if (stream.format !== undefined) {
      const failed = (error: unknown): void =>
        this.report(
          `The stream ${stream.name} could not be ended properly: ${errorText(error)}`,
          stream.name,
        );
      try {
        end = drive(stream.end(reason, this.host.send))?.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
    this.refresh();
    return end;
  }

  /** Without a message of its own, an error reaches no Catch node. */
  private report(text: string, topic: unknown): void {
    this.node.error(text, { topic });
  }

  private watchIdle(ms: number): void {
    const { clock } = this.dependencies;
    this.cancelIdle = clock.after(ms, () => {
      this.cancelIdle = undefined;
      const overBefore = clock.now() - IDLE_MS;
      let oldest = Infinity;
      for (const stream of [...this.streams.values()]) {
        if (stream.usedAt <= overBefore && stream.queue.idle) void this.end(stream, 'idle');
        else oldest = Math.min(oldest, stream.queue.idle ? stream.usedAt : clock.now());
      }
      if (this.streams.size > 0) this.watchIdle(oldest + IDLE_MS - clock.now());
    });
  }

  private nameOf(msg: Message): string {
    return streamNameOf(msg) ?? this.node.id;
  }

  private checkWaiting(bytes: number): void {
    if (this.queue.waitingBytes + bytes <= MAX_WAITING_BYTES) return;
    const megabytes = (count: number): string => `${(count / 1024 / 1024).toFixed(0)} MB`;
    throw badInput(
      `msg.payload has ${megabytes(bytes)}, and ${megabytes(this.queue.waitingBytes)} wait already: ` +
        `at most ${megabytes(MAX_WAITING_BYTES)} may wait to be processed. Send less at a time`,
    );
  }

  private succeed(): void {
    if (!this.refused) return;
    this.refused = false;
    this.refresh();
  }

  private refuse(error: unknown): never {
    this.refused = true;
    this.options.onRefused?.(error);
    throw error;
  }

  /** Calls `onChange`, since something changed that the status shows. */
  refresh(): void {
    if (!this.closed) this.options.onChange?.(new Set(this.streams.values()));
  }
}
