/** The one shape that sound has from capture to the last sink, and the verbs of everything that changes it. */
import { bytesPerSample, isPcm, type AudioFormat, type Encoding, type PcmEncoding } from './format';

/** A stretch of sound with its place on the stream's sample clock. */
export interface AudioFrame<E extends Encoding = Encoding> {
  readonly format: AudioFormat<E>;
  /** The payload. Never written to once it stands in a frame: others may hold the same memory. */
  readonly data: Buffer;
  /** Samples per channel in `data`. */
  readonly samples: number;
  /** Index of the first sample since the stream began, at `format.sampleRate`; counts what is missing too. */
  readonly position: number;
  /** When the first sample was captured: epoch ms, fractional. */
  readonly time: number;
  /** Samples missing just before this frame; `position` has already moved past them. */
  readonly gap: number;
  /** Algorithmic delay that transforms have added so far, ms; already taken off `position` and `time`. */
  readonly latencyMs: number;
  /** Opus only: the encoder's look-ahead in samples at 48 kHz, which decoding takes off again. */
  readonly preSkip?: number;
}

export type PcmFrame = AudioFrame<PcmEncoding>;

/** Whether `frame` holds raw samples. */
export function isPcmFrame(frame: AudioFrame): frame is PcmFrame {
  return isPcm(frame.format);
}

/** Turns one stream of frames into another; bit-identical however the input is cut. */
export interface Transform<In extends Encoding = Encoding, Out extends Encoding = Encoding> {
  /** Takes the next frame and returns what is ready. A frame with a `gap` flushes what is held first. */
  push(frame: AudioFrame<In>): AudioFrame<Out>[];
  /** Returns what is held; afterwards the transform is as new, and the next frame starts it over. */
  flush(): AudioFrame<Out>[];
  /** Frees what is held without returning it. May be called twice. */
  close(): void;
}

/** A transform for which little input may be much work: a few bytes of a file may hold minutes of sound. */
export interface SlicedTransform<
  In extends Encoding = Encoding,
  Out extends Encoding = Encoding,
> extends Transform<In, Out> {
  /**
   * As `push`, bit by bit: each slice takes a few ms of CPU, and the caller may do other things before the next one.
   * It must take all of them before it calls anything else but `close`.
   */
  pushInSlices(frame: AudioFrame<In>): Iterable<AudioFrame<Out>[]>;
}

/** Samples per channel that `data` holds, ignoring a trailing partial sample. */
export function samplesIn(format: AudioFormat<PcmEncoding>, data: Buffer): number {
  return Math.floor(data.length / bytesPerSample(format));
}

/** The part `[start, end)` of a PCM frame, in samples per channel; shares its memory. The gap stays in front. */
export function sliceFrame(frame: PcmFrame, start: number, end: number): PcmFrame {
  if (start === 0 && end === frame.samples) return frame;
  const size = bytesPerSample(frame.format);
  return {
    ...frame,
    data: frame.data.subarray(start * size, end * size),
    samples: end - start,
    position: frame.position + start,
    time: frame.time + (start * 1000) / frame.format.sampleRate,
    gap: start === 0 ? frame.gap : 0,
  };
}
