/** Cuts a long payload into slices that are processed one after the other, so that nothing else waits for long. */
import { isPcm, samplesInMs, type PcmFormat } from '../audio/format';
import { sliceFrame, type AudioFrame } from '../audio/frame';
import { ENCODINGS } from './encodings';

const DEFAULT_SLICE_MS = 1000;

export interface Slice {
  readonly slice: AudioFrame;
  /** Where the next one starts; undefined after the last one. */
  readonly next: number | undefined;
}

/**
 * The part of `frame` from `start` on that is processed in one go.
 * @param start samples of PCM, else bytes
 * @param sliceMs of PCM
 */
export function sliceOf(frame: AudioFrame, start: number, sliceMs = DEFAULT_SLICE_MS): Slice {
  const { format, data, samples } = frame;
  if (isPcm(format)) {
    const end = start + Math.max(1, samplesInMs(format.sampleRate, sliceMs));
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
