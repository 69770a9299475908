/** One stream in a node: what came of it, the processor that works on it, and where its output stands. */
import type { Clock } from '../../src/audio/clock';
import { OrgoError } from '../../src/audio/errors';
import { isPcm, sameFormat, samplesInMs, type AudioFormat, type PcmFormat } from '../../src/audio/format';
import { sliceFrame, type AudioFrame } from '../../src/audio/frame';
import { ENCODINGS } from '../../src/containers/encodings';
import { descriptionOf } from './audio-description';
import type { Message, Send } from './red';
import { MessageReader, type Accepted } from './messages/message-reader';
import { mostSamples } from './messages/numbers';
import { StreamOutput } from './stream-output';
import type { CreateProcessor, Product, StreamProcessor } from './stream-processor';
import { Lane, type Work } from './work-queue';

export interface StreamOptions<S = unknown> {
  readonly accepted: Accepted;
  /** The node's settings as they are now. What a message brings is worked off by those of its arrival. */
  readonly settings?: (() => S) | undefined;
  /** How many outputs the node has; 1 */
  readonly outputs?: number | undefined;
  /** Sound that is worked off between two looks at the time, ms; 1000. It should take less than 10 ms of CPU. */
  readonly sliceMs?: number | undefined;
  readonly create: CreateProcessor<S>;
}

/** Why a stream ended, where the message that ends it does not say. */
const DEFAULT_REASON = 'stopped';
const DEFAULT_SLICE_MS = 1000;

/** One message, as it waits to be worked off. */
export interface Arrival<S> {
  readonly msg: Message;
  readonly send: Send;
  /** The node's settings when it came. */
  readonly settings: S;
}

export class Stream<S = unknown> {
  readonly lane = new Lane();
  /** When a message came last, on the node's clock. */
  usedAt = 0;
  /** The latest message: what is flushed without one is sent like it. */
  private template: Message = {};
  private input: MessageReader;
  private output: StreamOutput;
  private current: { readonly format: AudioFormat; readonly processor: StreamProcessor<S> } | undefined;
  private sentFormat: AudioFormat | undefined;
  /** A gap that came without sound. */
  private owedGap = 0;

  constructor(
    readonly name: string,
    private readonly options: StreamOptions<S>,
    private readonly clock: Clock,
    /** Called when {@link format} or {@link outputFormat} has changed. */
    private readonly onChange: () => void,
  ) {
    this.input = this.newInput();
    this.output = this.newOutput();
  }

  /** What comes in; undefined before the first sound, and after the end. */
  get format(): AudioFormat | undefined {
    return this.current?.format;
  }

  /** Whether anything of it would be lost if it were forgotten. */
  get holds(): boolean {
    return this.current !== undefined || this.owedGap > 0 || this.input.holds;
  }

  /** What leaves the main output; undefined before something has. */
  get outputFormat(): AudioFormat | undefined {
    return this.sentFormat;
  }

  get processor(): StreamProcessor<S> | undefined {
    return this.current?.processor;
  }

  /**
   * Does what a message asks for: starts over, takes its sound, ends.
   * @throws OrgoError `ORGO_BAD_INPUT`, and whatever the processor throws
   */
  *take(arrival: Arrival<S>): Work {
    const { msg, send } = arrival;
    if (msg['reset'] !== undefined) this.startOver(send);
    this.template = withoutPayload(msg);
    const complete = msg['complete'] === true;
    if (complete) this.output.holdLast();
    try {
      if (Buffer.isBuffer(msg.payload)) yield* this.takeSound(arrival);
    } finally {
      if (complete) this.end(reasonOf(msg), send);
    }
  }

  /** Sends what is held; what comes then is a new stream of the same name. */
  startOver(send: Send): void {
    try {
      this.finishProcessor(send);
    } finally {
      this.input = this.newInput();
      this.output = this.newOutput();
      this.owedGap = 0;
    }
  }

  /** Sends what is held, and marks the end. */
  end(reason: string, send: Send): void {
    this.output.holdLast();
    try {
      this.finishProcessor(send);
    } finally {
      this.output.complete(reason, this.template, this.clock.now() + this.clock.epochOffset(), send);
      this.startOver(send);
    }
  }

  private *takeSound(arrival: Arrival<S>): Work {
    const { frame, startsOver, ends } = this.input.read(arrival.msg);
    if (startsOver) this.finishProcessor(arrival.send);
    if (frame) yield* this.process(frame, arrival);
    if (ends) this.finishProcessor(arrival.send);
  }

  private *process(whole: AudioFrame, arrival: Arrival<S>): Work {
    const gap = Math.min(whole.gap + this.owedGap, mostSamples(whole.format.sampleRate));
    const empty = whole.data.length === 0;
    this.owedGap = empty ? gap : 0;
    if (empty) return;
    const frame = gap === whole.gap ? whole : { ...whole, gap };
    const processor = this.processorFor(frame.format);
    for (let start = 0; ;) {
      const { slice, next } = this.sliceOf(frame, start);
      yield* this.push(processor, slice, arrival);
      if (next === undefined) return;
      start = next;
      yield;
    }
  }

  private *push(processor: StreamProcessor<S>, frame: AudioFrame, { send, settings }: Arrival<S>): Work {
    if (!processor.pushInSlices) {
      this.sendAll(
        this.guarded(() => processor.push(frame, settings)),
        send,
      );
      return;
    }
    const slices = processor.pushInSlices(frame, settings)[Symbol.iterator]();
    // A stream that was dropped between two slices has closed its processor.
    while (this.current?.processor === processor) {
      const next = this.guarded(() => slices.next());
      if (next.done === true) return;
      this.sendAll(next.value, send);
      yield;
    }
  }

  /** The part of `frame` from `start` on that is worked off in one go, and where the next one starts. */
  private sliceOf(frame: AudioFrame, start: number): { slice: AudioFrame; next: number | undefined } {
    const { format, data, samples } = frame;
    if (isPcm(format)) {
      const end =
        start + Math.max(1, samplesInMs(format.sampleRate, this.options.sliceMs ?? DEFAULT_SLICE_MS));
      if (start === 0 && end >= samples) return { slice: frame, next: undefined };
      const pcm = { ...frame, format: format satisfies PcmFormat };
      const slice = sliceFrame(pcm, start, Math.min(end, samples));
      return { slice, next: end < samples ? end : undefined };
    }
    const { sliceBytes = data.length } = ENCODINGS[format.encoding];
    if (data.length <= sliceBytes) return { slice: frame, next: undefined };
    const end = start + sliceBytes;
    const slice = { ...frame, data: data.subarray(start, end), gap: start === 0 ? frame.gap : 0 };
    return { slice, next: end < data.length ? end : undefined };
  }

  private processorFor(format: AudioFormat): StreamProcessor<S> {
    if (this.current && sameFormat(this.current.format, format)) return this.current.processor;
    const processor = this.options.create(format, this.name);
    this.current = { format, processor };
    this.onChange();
    return processor;
  }

  private finishProcessor(send: Send): void {
    const { current } = this;
    if (!current) return;
    try {
      this.sendAll(current.processor.flush(), send);
    } finally {
      this.drop();
    }
  }

  /** A processor that fails for another reason than its input is in a state that nobody knows. */
  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof OrgoError)) this.drop();
      throw error;
    }
  }

  private drop(): void {
    const { current } = this;
    this.current = undefined;
    current?.processor.close();
    this.onChange();
  }

  private sendAll(products: readonly Product[], send: Send): void {
    for (const product of products) {
      this.output.send(product, this.template, send);
      if (product.output !== 0 || product.event) continue;
      const { format } = product.frame;
      if (this.sentFormat && sameFormat(this.sentFormat, format)) continue;
      this.sentFormat = format;
      this.onChange();
    }
  }

  private newInput(): MessageReader {
    return new MessageReader(this.options.accepted, this.clock);
  }

  private newOutput(): StreamOutput {
    return new StreamOutput(this.name, this.options.outputs ?? 1);
  }
}

function reasonOf(msg: Message): string {
  const reason = descriptionOf(msg)?.['reason'];
  return typeof reason === 'string' && reason !== '' ? reason : DEFAULT_REASON;
}

/** A message that is kept for as long as its stream lasts must not keep its sound. */
function withoutPayload(msg: Message): Message {
  const copy = { ...msg };
  delete copy.payload;
  return copy;
}
