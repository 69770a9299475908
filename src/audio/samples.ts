/** Reading, writing and measuring raw samples. */
import { bytesPerSample, type PcmEncoding, type PcmFormat } from './format';

/** s16 counts from −32768: one full scale is this many steps. */
export const S16_FULL_SCALE = 32768;
const S16_MAX = 32767;

/** Digital silence of `samples` samples per channel. */
export function silence(format: PcmFormat, samples: number): Buffer {
  return Buffer.alloc(samples * bytesPerSample(format));
}

/**
 * The whole samples of `data` as numbers of their encoding, all channels interleaved. Where `data` is aligned in
 * its memory, the array is a view of it: writing into the one writes into the other. Needs a little-endian
 * machine, as every one is on which Node.js is released but s390x.
 */
export function viewOf(data: Buffer, encoding: PcmEncoding): Int16Array | Float32Array {
  const size = encoding === 's16le' ? 2 : 4;
  const length = Math.floor(data.length / size);
  const aligned = data.byteOffset % size === 0 ? data : Uint8Array.from(data);
  const { buffer, byteOffset } = aligned;
  return size === 2
    ? new Int16Array(buffer, byteOffset, length)
    : new Float32Array(buffer, byteOffset, length);
}

/**
 * A copy of `data` as floats in ±1, all channels interleaved as they are. Never reads past whole samples.
 * The offset of `data` in its memory need not be aligned.
 */
export function toFloat(data: Buffer, encoding: PcmEncoding): Float32Array {
  const samples = viewOf(data, encoding);
  const out = new Float32Array(samples);
  if (encoding === 's16le') for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) / S16_FULL_SCALE;
  return out;
}

/** One float in ±1 as s16: rounded to nearest, clipped at full scale; what is no number is silence. */
export function floatToS16(value: number): number {
  const scaled = Math.round(value * S16_FULL_SCALE);
  if (scaled > S16_MAX) return S16_MAX;
  if (scaled < -S16_FULL_SCALE) return -S16_FULL_SCALE;
  return Number.isNaN(scaled) ? 0 : scaled;
}

export interface Level {
  /** Largest magnitude, 0 to 1. */
  readonly peak: number;
  /** Root mean square, 0 to 1. */
  readonly rms: number;
}

/** Peak and RMS over all channels of `data`; 0 for an empty one. */
export function levelOf(data: Buffer, encoding: PcmEncoding): Level {
  const samples = toFloat(data, encoding);
  let peak = 0;
  let energy = 0;
  for (const sample of samples) {
    const magnitude = Math.abs(sample);
    if (magnitude > peak) peak = magnitude;
    energy += sample * sample;
  }
  return { peak, rms: samples.length === 0 ? 0 : Math.sqrt(energy / samples.length) };
}

/** A ratio of amplitudes as dB; −∞ for 0. */
export function toDb(amplitude: number): number {
  return 20 * Math.log10(amplitude);
}
