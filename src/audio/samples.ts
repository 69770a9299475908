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
 * Reads `data` as floats in ±1, all channels interleaved as they are. Never reads past whole samples.
 * The offset of `data` in its memory need not be aligned.
 */
export function toFloat(data: Buffer, encoding: PcmEncoding): Float32Array {
  if (encoding === 'f32le') {
    const out = new Float32Array(data.length >> 2);
    for (let i = 0; i < out.length; i++) out[i] = data.readFloatLE(i * 4);
    return out;
  }
  const out = new Float32Array(data.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = data.readInt16LE(i * 2) / S16_FULL_SCALE;
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
