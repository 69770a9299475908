/** The one shape that sound has from capture to the last sink. */
import {
  bytesPerSample,
  isPcm,
  msOfSamples,
  type AudioFormat,
  type Encoding,
  type PcmEncoding,
} from './format';
import { endOf } from './place';

const NO_DATA = Buffer.alloc(0);

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
  /** When it was captured is not known, as with a file: `time` means nothing then, and no message carries it. */
  readonly isRecording?: true;
  /** Opus only: the encoder's look-ahead in samples at 48 kHz, which decoding takes off again. */
  readonly preSkip?: number;
}

export type PcmFrame = AudioFrame<PcmEncoding>;

/** Whether `frame` holds raw samples. */
export function isPcmFrame(frame: AudioFrame): frame is PcmFrame {
  return isPcm(frame.format);
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
    time: frame.time + msOfSamples(frame.format.sampleRate, start),
    gap: start === 0 ? frame.gap : 0,
  };
}

/** No sound, at the place where `frame` ends; it keeps none of the frame's memory. */
export function emptyAfter<E extends Encoding>(frame: AudioFrame<E>): AudioFrame<E> {
  const { position, time } = endOf(frame);
  return { ...frame, data: NO_DATA, samples: 0, position, time, gap: 0 };
}
