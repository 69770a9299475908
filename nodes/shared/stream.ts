/** One stream in a node: what came of it, the processor that works on it, and where its output stands. */
import { OrgoError } from '../../src/audio/errors';
import { isPcm, sameFormat, samplesInMs, type AudioFormat, type PcmFormat } from '../../src/audio/format';
import { sliceFrame, type AudioFrame } from '../../src/audio/frame';
import { descriptionOf } from './audio-description';
import type { Message, Send } from './red';
import { StreamInput, type Accepted } from './stream-input';
import { StreamOutput } from './stream-output';
import type { CreateProcessor, Product, StreamProcessor } from './stream-processor';
import { Lane, type Work } from './work-queue';

export interface StreamOptions {
  readonly accepted: Accepted;
  /** How many outputs the node has; 1 */
  readonly outputs?: number | undefined;
  /** Sound that is worked off between two looks at the time, ms; 1000. It should take less than 10 ms of CPU. */
  readonly sliceMs?: number | undefined;
  readonly create: CreateProcessor;
}

/** Why a stream ended, where the message that ends it does not say. */
const DEFAULT_REASON = 'stopped';
const DEFAULT_SLICE_MS = 1000;
/** Slices of what is no PCM: small packets pass whole. */
const SLICE_BYTES = 16_384;

export class Stream {
  readonly lane = new Lane();
  /** When a message came last, on the node's clock. */
  usedAt = 0;
  /** The latest message: what is flushed without one is sent like it. */
  private template: Message = {};
  private input: StreamInput;
  private output: StreamOutput;
  private current: { readonly format: AudioFormat; readonly processor: StreamProcessor } | undefined;
  private sentFormat: AudioFormat | undefined;
  /** A gap that came without sound. */
  private owedGap = 0;

  constructor(
    readonly name: string,
    private readonly options: StreamOptions,
    /** Told when {@link format} or {@link outputFormat} has changed. */
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

  get processor(): StreamProcessor | undefined {
    return this.current?.processor;
  }

  /**
   * Does what `msg` asks for: starts over, takes its sound, ends.
   * @param now epoch ms
   * @throws OrgoError `ORGO_BAD_INPUT`, and whatever the processor throws
   */
  *take(msg: Message, send: Send, now: number): Work {
    if (msg['reset'] !== undefined) this.startOver(send);
    this.template = msg;
    const complete = msg['complete'] === true;
    if (complete) this.output.holdLast();
    try {
      if (Buffer.isBuffer(msg.payload)) yield* this.takeSound(msg, send, now);
    } finally {
      if (complete) this.end(reasonOf(msg), send, now);
    }
  }

  /** Sends what is held; what comes then is a new stream of the same name. */
  startOver(send: Send): void {
    this.finishProcessor(send);
    this.input = this.newInput();
    this.output = this.newOutput();
    this.owedGap = 0;
  }

  /** Sends what is held, and marks the end. */
  end(reason: string, send: Send, now: number): void {
    this.output.holdLast();
    try {
      this.finishProcessor(send);
    } finally {
      this.output.complete(reason, this.template, now, send);
      this.startOver(send);
    }
  }

  private *takeSound(msg: Message, send: Send, now: number): Work {
    const { frame, startsOver, ends } = this.input.read(msg, now);
    if (startsOver) this.finishProcessor(send);
    if (frame) yield* this.process(frame, msg, send);
    if (ends) this.finishProcessor(send);
  }

  private *process(whole: AudioFrame, msg: Message, send: Send): Work {
    const gap = whole.gap + this.owedGap;
    const empty = whole.data.length === 0;
    this.owedGap = empty ? gap : 0;
    if (empty) return;
    const frame = gap === whole.gap ? whole : { ...whole, gap };
    const processor = this.processorFor(frame.format);
    for (let start = 0; ;) {
      const { slice, next } = this.sliceOf(frame, start);
      this.sendAll(
        this.guarded(() => processor.push(slice, msg)),
        msg,
        send,
      );
      if (next === undefined) return;
      start = next;
      yield;
    }
  }

  /** The part of `frame` from `start` on that is worked off in one go, and where the next one starts. */
  private sliceOf(frame: AudioFrame, start: number): { slice: AudioFrame; next: number | undefined } {
    const { format, data, samples } = frame;
    if (isPcm(format)) {
      const end = start + samplesInMs(format.sampleRate, this.options.sliceMs ?? DEFAULT_SLICE_MS);
      if (start === 0 && end >= samples) return { slice: frame, next: undefined };
      const pcm = { ...frame, format: format satisfies PcmFormat };
      const slice = sliceFrame(pcm, start, Math.min(end, samples));
      return { slice, next: end < samples ? end : undefined };
    }
    if (format.encoding === 'opus' || data.length <= SLICE_BYTES) return { slice: frame, next: undefined };
    const end = start + SLICE_BYTES;
    const slice = { ...frame, data: data.subarray(start, end), gap: start === 0 ? frame.gap : 0 };
    return { slice, next: end < data.length ? end : undefined };
  }

  private processorFor(format: AudioFormat): StreamProcessor {
    if (this.current && sameFormat(this.current.format, format)) return this.current.processor;
    const processor = this.options.create(format, this.name);
    this.current = { format, processor };
    this.onChange();
    return processor;
  }

  private finishProcessor(send: Send): void {
    const { current } = this;
    if (!current) return;
    const products = this.guarded(() => current.processor.flush());
    this.sendAll(products, this.template, send);
    this.drop();
  }

  /** A processor that fails for another reason than its input is in a state that nobody knows. */
  private guarded(work: () => readonly Product[]): readonly Product[] {
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

  private sendAll(products: readonly Product[], template: Message, send: Send): void {
    for (const product of products) {
      this.output.send(product, template, send);
      if (product.output !== 0 || product.event) continue;
      const { format } = product.frame;
      if (this.sentFormat && sameFormat(this.sentFormat, format)) continue;
      this.sentFormat = format;
      this.onChange();
    }
  }

  private newInput(): StreamInput {
    return new StreamInput(this.options.accepted);
  }

  private newOutput(): StreamOutput {
    return new StreamOutput(this.name, this.options.outputs ?? 1);
  }
}

function reasonOf(msg: Message): string {
  const reason = descriptionOf(msg)?.['reason'];
  return typeof reason === 'string' && reason !== '' ? reason : DEFAULT_REASON;
}
