/** One stream in a node: what came of it, the transform that works on it, and where its output stands. */
import type { Clock } from '../../src/audio/clock';
import { OrgoError } from '../../src/audio/errors';
import { msOfSamples, sameFormat, type AudioFormat } from '../../src/audio/format';
import type { AudioFrame } from '../../src/audio/frame';
import type { Emission } from '../../src/audio/transform';
import { reasonOf } from './audio-description';
import type { Message, Send } from './red';
import { MessageReader, type Accepted } from './messages/message-reader';
import { mostSamples } from './messages/numbers';
import { MessageWriter } from './messages/message-writer';
import type { CreateTransform, FrameOrigin, NodeTransform } from './node-transform';
import { sliceOf, type Slice } from '../../src/containers/slices';
import { SerialQueue, waitFor, type Work } from '../../src/audio/work-queue';

export interface StreamOptions<Live = unknown> {
  readonly accepted: Accepted;
  /** The settings that can change, as they are now. A message is processed with those that held when it came. */
  readonly live?: (() => Live) | undefined;
  /**
   * Names of the node's outputs, in their order; on the first one the stream's end is marked. `audio`. Empty for a node
   * that only takes sound: then nothing leaves it, and its transforms emit nothing.
   */
  readonly outputs?: readonly string[] | undefined;
  /** Sound that is processed between two looks at the time, ms; 1000. It should take less than 10 ms of CPU. */
  readonly sliceMs?: number | undefined;
  /** The main output carries text: the stream's end is marked by a message of its own, with an empty one. */
  readonly givesText?: boolean | undefined;
  readonly create: CreateTransform<Live>;
  /** Called when the stream of this name is over: by `complete`, after idle time, or since the node closes. */
  readonly onEnd?: ((stream: string) => void) | undefined;
}

/** What a stream needs of its node. */
export interface StreamHost {
  readonly clock: Clock;
  /** Sends what comes later than the message that led to it. */
  readonly send: Send;
  /** The stream's format, or what its status should show, has changed. */
  readonly onChange: () => void;
  /** Its transform failed while no message waited for it. */
  readonly onFailure: (error: Error, msg: Message) => void;
}

/** Why a stream ended that could not be processed. */
const FAILED_REASON = 'error';
/** Sound that is live is at most this long; what is longer is a recording. */
const MAX_LIVE_MS = 1000;

/** One message, as it waits to be processed. */
export interface Arrival<Live> {
  readonly msg: Message;
  readonly send: Send;
  /** The settings that can change, as they were when it came. */
  readonly live: Live;
}

/** The transform at work. */
interface Current<Live> {
  readonly format: AudioFormat;
  readonly transform: NodeTransform<Live>;
  /** What it was made with, or configured to. */
  live: Live;
}

export class Stream<Live = unknown> {
  readonly queue = new SerialQueue();
  /** When a message came last, on the node's clock. */
  usedAt = 0;
  /** The latest message, without its payload: what is flushed without one is sent like it. */
  private template: Message = {};
  private reader: MessageReader;
  private writer: MessageWriter;
  private current: Current<Live> | undefined;
  /** A gap that came without sound. */
  private owedGap = 0;

  constructor(
    readonly name: string,
    private readonly options: StreamOptions<Live>,
    private readonly host: StreamHost,
  ) {
    this.reader = this.newReader();
    this.writer = this.newWriter();
  }

  /** What comes in; undefined before the first sound, and after the end. */
  get format(): AudioFormat | undefined {
    return this.current?.format;
  }

  /** Whether anything of it would be lost if it were forgotten. */
  get holds(): boolean {
    return this.current !== undefined || this.owedGap > 0 || this.reader.holds;
  }

  /** What leaves the main output; undefined before something has. */
  get outputFormat(): AudioFormat | undefined {
    return this.writer.end?.format;
  }

  get transform(): NodeTransform<Live> | undefined {
    return this.current?.transform;
  }

  /**
   * Does what a message asks for: starts over, takes its sound, ends.
   * @throws OrgoError `ORGO_BAD_INPUT`, and whatever the transform throws
   */
  *take(arrival: Arrival<Live>): Work {
    const { msg, send } = arrival;
    if (msg['reset'] !== undefined) yield* this.startOver(send);
    this.template = withoutPayload(msg);
    if (this.options.accepted.wholeFiles === true && Buffer.isBuffer(msg.payload) && msg.payload.length > 0) {
      yield* this.takeFile(arrival);
      return;
    }
    const complete = msg['complete'] === true;
    if (complete) this.writer.holdLast();
    try {
      if (Buffer.isBuffer(msg.payload)) yield* this.takeSound(arrival);
    } finally {
      if (complete) yield* this.end(reasonOf(msg), send);
    }
  }

  /** Sends what is held, and marks the end. */
  *end(reason: string, send: Send): Work {
    this.writer.holdLast();
    try {
      yield* this.finish(send);
    } finally {
      this.markEnd(reason, send);
      yield* this.startOver(send);
    }
  }

  /** Takes a message that is a whole stream. Where it fails before any sound came of it, nothing is sent. */
  private *takeFile(arrival: Arrival<Live>): Work {
    const { msg, send } = arrival;
    let reason = reasonOf(msg);
    this.writer.holdLast();
    try {
      yield* this.takeSound(arrival);
      yield* this.finish(send);
    } catch (error) {
      reason = FAILED_REASON;
      throw error;
    } finally {
      if (reason !== FAILED_REASON || this.writer.end) this.markEnd(reason, send);
      yield* this.startOver(send);
    }
  }

  private markEnd(reason: string, send: Send): void {
    const { clock } = this.host;
    this.options.onEnd?.(this.name);
    if (this.options.outputs?.length === 0) return;
    this.writer.complete(reason, this.template, clock.now() + clock.epochOffset(), send);
  }

  /** Sends what is held; what comes then is a new stream of the same name. */
  private *startOver(send: Send): Work {
    try {
      yield* this.finish(send);
    } finally {
      this.reader = this.newReader();
      this.writer = this.newWriter();
      this.owedGap = 0;
    }
  }

  private *takeSound(arrival: Arrival<Live>): Work {
    const { frame, timed, startsOver, ends } = this.reader.read(arrival.msg);
    if (startsOver) yield* this.border(arrival.send);
    if (frame) yield* this.process(frame, timed, arrival);
    if (ends) yield* this.border(arrival.send);
    this.transform?.messageEnd?.();
  }

  /** What comes does not go on with what came. */
  private *border(send: Send): Work {
    if (this.transform?.border) this.transform.border();
    else yield* this.finish(send);
  }

  private *process(whole: AudioFrame, timed: boolean, arrival: Arrival<Live>): Work {
    const { sampleRate } = whole.format;
    const gap = Math.min(whole.gap + this.owedGap, mostSamples(sampleRate));
    const empty = whole.data.length === 0;
    this.owedGap = empty ? gap : 0;
    if (empty) return;
    const frame = gap === whole.gap ? whole : { ...whole, gap };
    const isLive = timed && msOfSamples(sampleRate, frame.samples) <= MAX_LIVE_MS;
    const origin = { msg: this.template, timed, isLive };
    try {
      const current = this.currentFor(frame.format, arrival);
      // A stream that was closed while it waited is over.
      for (let start: number | undefined = 0; start !== undefined && this.current === current;) {
        if (start > 0) yield;
        const { slice, next }: Slice = sliceOf(frame, start, this.options.sliceMs);
        yield* this.push(current, slice, origin, arrival.send);
        start = next;
      }
    } catch (error) {
      // A transform that fails for another reason than its input is in a state that nobody knows.
      if (!(error instanceof OrgoError)) this.drop();
      throw error;
    }
  }

  private *push(current: Current<Live>, frame: AudioFrame, origin: FrameOrigin, send: Send): Work {
    const { transform } = current;
    if (transform.pushInSlices) {
      for (const emissions of transform.pushInSlices(frame)) {
        this.sendAll(emissions, send);
        yield;
        if (this.current !== current) return;
      }
    } else {
      this.sendAll(transform.push(frame, origin), send);
    }
    yield* waitFor(transform.ready?.());
  }

  private currentFor(format: AudioFormat, { live, send }: Arrival<Live>): Current<Live> {
    const { current } = this;
    const goesOn = current && (current.transform.border !== undefined || sameFormat(current.format, format));
    if (!goesOn) return this.open(format, live);
    if (current.live !== live) {
      current.live = live;
      this.sendAll(current.transform.configure?.(live) ?? [], send);
    }
    return current;
  }

  private open(format: AudioFormat, live: Live): Current<Live> {
    const { host } = this;
    const isCurrent = (): boolean => this.current !== undefined && this.current === opened;
    const transform = this.options.create({
      format,
      stream: this.name,
      live,
      emit: (emissions) => {
        if (isCurrent()) this.sendAll(emissions, host.send);
      },
      fail: (error) => {
        if (!isCurrent()) return;
        this.drop();
        host.onFailure(error, this.template);
      },
      report: (error, properties) => host.onFailure(error, { ...this.template, ...properties }),
      refresh: host.onChange,
    });
    const opened: Current<Live> = { format, transform, live };
    this.current = opened;
    host.onChange();
    return opened;
  }

  private *finish(send: Send): Work {
    const { current } = this;
    if (!current) return;
    try {
      this.sendAll(current.transform.flush(), send);
      yield* waitFor(current.transform.drained?.());
    } finally {
      if (this.current === current) this.drop();
    }
  }

  private drop(): void {
    const { current } = this;
    this.current = undefined;
    current?.transform.close();
    this.host.onChange();
  }

  private sendAll(emissions: readonly Emission[], send: Send): void {
    for (const emission of emissions) {
      const before = this.outputFormat;
      if (!this.writer.send(emission, this.template, send)) continue;
      if (!before || !sameFormat(before, emission.frame.format)) this.host.onChange();
    }
  }

  private newReader(): MessageReader {
    return new MessageReader(this.options.accepted, this.host.clock);
  }

  private newWriter(): MessageWriter {
    return new MessageWriter(this.name, this.options.outputs, this.options.givesText);
  }
}

/** This copy is kept as long as its stream lasts, so it must not keep the message's sound alive. */
function withoutPayload(msg: Message): Message {
  const copy = { ...msg };
  delete copy.payload;
  return copy;
}
