/** Sound to encode, frames to carry it, and measures of what came back. */
import { bytesPerSample, samplesInMs, type Channels, type PcmFormat } from '../../../src/audio/format';
import type { PcmFrame } from '../../../src/audio/frame';

/** Epoch ms at which test streams begin. */
export const START_TIME = 1_763_842_000_000;

export function s16(sampleRate: number, channels: Channels): PcmFormat {
  return { encoding: 's16le', sampleRate, channels };
}

/** A sweep from 200 Hz to 3 kHz and back each second over a little noise: no two places are alike. s16le. */
export function sweep(format: PcmFormat, ms: number): Buffer {
  const samples = samplesInMs(format.sampleRate, ms);
  const out = Buffer.alloc(samples * bytesPerSample(format));
  let phase = 0;
  let seed = 12345;
  for (let i = 0; i < samples; i++) {
    const seconds = i / format.sampleRate;
    phase += (2 * Math.PI * (1600 - 1400 * Math.cos(2 * Math.PI * seconds))) / format.sampleRate;
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    const value = Math.round(8000 * Math.sin(phase) + (seed / 0x7fffffff - 0.5) * 400);
    for (let c = 0; c < format.channels; c++)
      out.writeInt16LE(c === 0 ? value : -value >> 1, (i * format.channels + c) * 2);
  }
  return out;
}

/** One frame of `data` at `position`. */
export function frameOf(format: PcmFormat, data: Buffer, position = 0, gap = 0): PcmFrame {
  return {
    format,
    data,
    samples: data.length / bytesPerSample(format),
    position,
    time: START_TIME + (position * 1000) / format.sampleRate,
    gap,
    latencyMs: 0,
  };
}

/** `data` cut into frames of the lengths given, in turn; the rest goes last. Samples per channel. */
export function cut(format: PcmFormat, data: Buffer, lengths: readonly number[], position = 0): PcmFrame[] {
  const size = bytesPerSample(format);
  const frames: PcmFrame[] = [];
  let start = 0;
  for (let turn = 0; start < data.length; turn++) {
    const end = Math.min(data.length, start + (lengths[turn % lengths.length] ?? 960) * size);
    frames.push(frameOf(format, data.subarray(start, end), position + start / size));
    start = end;
  }
  return frames;
}

/** Samples of the first channel. */
export function firstChannel(frames: readonly PcmFrame[]): Float64Array {
  const channels = frames[0]?.format.channels ?? 1;
  const data = Buffer.concat(frames.map((frame) => frame.data));
  const out = new Float64Array(data.length / 2 / channels);
  for (let i = 0; i < out.length; i++) out[i] = data.readInt16LE(i * 2 * channels);
  return out;
}

/** By how many samples `b` lags `a`, from −`reach` to `reach`, by the greatest normalised correlation. */
export function lagOf(a: Float64Array, b: Float64Array, reach: number): { lag: number; correlation: number } {
  let best = { lag: 0, correlation: -1 };
  for (let lag = -reach; lag <= reach; lag++) {
    let ab = 0;
    let aa = 0;
    let bb = 0;
    for (let i = reach; i < Math.min(a.length, b.length) - reach; i++) {
      const x = a[i] ?? 0;
      const y = b[i + lag] ?? 0;
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    const correlation = ab / Math.sqrt(aa * bb || 1);
    if (correlation > best.correlation) best = { lag, correlation };
  }
  return best;
}

export function totalSamples(frames: readonly { samples: number }[]): number {
  return frames.reduce((sum, frame) => sum + frame.samples, 0);
}
