/** Sound for the resampler's tests, and what to measure on what comes out. */
import { bytesPerSample, type Channels, type PcmEncoding, type PcmFormat } from '../../src/audio/format';
import { sliceFrame, type PcmFrame } from '../../src/audio/frame';
import { floatToS16, toFloat } from '../../src/audio/samples';

export const START_TIME = 1_700_000_000_000;

export function format(
  sampleRate: number,
  channels: Channels = 1,
  encoding: PcmEncoding = 's16le',
): PcmFormat {
  return { sampleRate, channels, encoding };
}

/** A frame of `samples` samples; `at` tells the value of channel `c` at sample `n`. */
export function frameOf(
  of: PcmFormat,
  samples: number,
  at: (n: number, c: number) => number,
  position = 0,
): PcmFrame {
  const data = Buffer.alloc(samples * bytesPerSample(of));
  for (let n = 0, byte = 0; n < samples; n++) {
    for (let c = 0; c < of.channels; c++) {
      const value = at(position + n, c);
      byte =
        of.encoding === 's16le' ? data.writeInt16LE(floatToS16(value), byte) : data.writeFloatLE(value, byte);
    }
  }
  const time = START_TIME + (position * 1000) / of.sampleRate;
  return { format: of, data, samples, position, time, gap: 0, latencyMs: 0 };
}

/** A frame of a tone; the second channel holds it with the opposite sign and half as loud. */
export function tone(of: PcmFormat, samples: number, hz: number, amplitude = 0.5, position = 0): PcmFrame {
  const at = (n: number, c: number): number =>
    (c === 0 ? amplitude : -amplitude / 2) * Math.sin((2 * Math.PI * hz * n) / of.sampleRate);
  return frameOf(of, samples, at, position);
}

/** `frame` cut into pieces of the lengths in `cuts`, which is begun again at its end. */
export function cut(frame: PcmFrame, cuts: readonly number[]): PcmFrame[] {
  const pieces: PcmFrame[] = [];
  for (let start = 0, i = 0; start < frame.samples; i++) {
    const end = Math.min(frame.samples, start + (cuts[i % cuts.length] ?? frame.samples));
    pieces.push(sliceFrame(frame, start, end));
    start = end;
  }
  return pieces;
}

/** Frames that follow one another, as one. */
export function joined(frames: readonly PcmFrame[]): Buffer {
  return Buffer.concat(frames.map((frame) => frame.data));
}

/** One channel of frames that follow one another, as floats. */
export function channelOf(frames: readonly PcmFrame[], channel = 0): Float64Array {
  const first = frames[0];
  if (!first) return new Float64Array(0);
  const { encoding, channels } = first.format;
  const all = toFloat(joined(frames), encoding);
  return Float64Array.from({ length: all.length / channels }, (_, n) => all[n * channels + channel]!);
}

export interface Fit {
  /** Of the tone. */
  readonly amplitude: number;
  /** At sample 0 of what was given, in radians, of a sine. */
  readonly phase: number;
  /** RMS of what is left without the tone. */
  readonly residual: number;
}

/** Least squares of `a sin + b cos + c` at `hz` over `signal`. */
export function fitTone(signal: Float64Array, hz: number, sampleRate: number, first = 0): Fit {
  const w = (2 * Math.PI * hz) / sampleRate;
  const m = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let n = 0; n < signal.length; n++) {
    const basis = [Math.sin(w * (n + first)), Math.cos(w * (n + first)), 1];
    for (let r = 0; r < 3; r++) {
      for (let c = 0; c < 3; c++) m[r * 4 + c]! += basis[r]! * basis[c]!;
      m[r * 4 + 3]! += basis[r]! * signal[n]!;
    }
  }
  const [a, b, offset] = solve3(m);
  let energy = 0;
  for (let n = 0; n < signal.length; n++) {
    energy += (signal[n]! - a * Math.sin(w * (n + first)) - b * Math.cos(w * (n + first)) - offset) ** 2;
  }
  return {
    amplitude: Math.hypot(a, b),
    phase: Math.atan2(b, a),
    residual: Math.sqrt(energy / signal.length),
  };
}

/** Three equations, row by row with their right sides, by Gauss and Jordan. */
function solve3(m: number[]): [number, number, number] {
  for (let p = 0; p < 3; p++) {
    const pivot = m[p * 4 + p]!;
    for (let c = p; c < 4; c++) m[p * 4 + c]! /= pivot;
    for (let r = 0; r < 3; r++) {
      if (r === p) continue;
      const factor = m[r * 4 + p]!;
      for (let c = p; c < 4; c++) m[r * 4 + c]! -= factor * m[p * 4 + c]!;
    }
  }
  return [m[3]!, m[7]!, m[11]!];
}

export function dB(ratio: number): number {
  return 20 * Math.log10(ratio);
}

/** Signal to noise of a tone, dB. */
export function snrOf(signal: Float64Array, hz: number, sampleRate: number): number {
  const { amplitude, residual } = fitTone(signal, hz, sampleRate);
  return dB(amplitude / Math.SQRT2 / residual);
}

/** The middle of `signal`, without `edge` samples at both ends. */
export function middle(signal: Float64Array, edge: number): Float64Array {
  return signal.subarray(edge, signal.length - edge);
}

const RATES = [8000, 16000, 22050, 24000, 44100, 48000];
/** Every rate to every other one. Hz */
export const PAIRS = RATES.flatMap((from) =>
  RATES.filter((to) => to !== from).map((to) => [from, to] as const),
);

/** Both ends of a signal, where the filter runs in and out. */
export const EDGE_S = 0.05;
