/** Designs the low-pass filter between two rates: a windowed sinc, a row of taps for every place between samples. */
import { ROW_MULTIPLE } from '../kernels/contract';
import { PRESETS, type Preset, type Quality } from './presets';

/** A rate over another in lowest terms: `up` output samples last as long as `down` input samples. */
export interface Ratio {
  readonly up: number;
  readonly down: number;
}

/** Taps by row. A row's last tap meets the sample `half` after the output's place, floored to a sample. */
export interface FilterTable {
  readonly taps: Float32Array;
  /** Taps in a row, zeros in front included. */
  readonly rowLength: number;
  /** Input samples that must have come beyond an output's place: the filter's delay. */
  readonly half: number;
}

interface Spec {
  /** Cut-off in cycles per input sample. */
  readonly cutoff: number;
  readonly beta: number;
  readonly half: number;
  readonly rowLength: number;
}

/** `outputRate` over `inputRate` in lowest terms, both Hz. */
export function ratioOf(inputRate: number, outputRate: number): Ratio {
  let divisor = inputRate;
  for (let rest = outputRate; rest > 0;) [divisor, rest] = [rest, divisor % rest];
  return { up: outputRate / divisor, down: inputRate / divisor };
}

/**
 * Length and shape of the filter, by Kaiser's formulas (Kaiser 1974; Oppenheim, Schafer, Discrete-Time Signal
 * Processing, 7.5.3): β from the attenuation, the length from attenuation and transition band.
 */
export function specOf(ratio: Ratio, quality: Quality): Spec {
  const preset: Preset = PRESETS[quality];
  /** The lower rate over the input rate. */
  const scale = Math.min(1, ratio.up / ratio.down);
  const transition = Math.PI * (preset.stopStart - preset.passEnd);
  const lengthAtLowerRate = (preset.attenuationDb - 8) / (2.285 * transition);
  const half = Math.ceil(lengthAtLowerRate / 2 / scale);
  return {
    cutoff: (scale * (preset.passEnd + preset.stopStart)) / 4,
    beta: 0.1102 * (preset.attenuationDb - 8.7),
    half,
    rowLength: Math.ceil((2 * half) / ROW_MULTIPLE) * ROW_MULTIPLE,
  };
}

/**
 * One row for each of `rows` places, `first` + row / `steps` samples after the sample before them. Each row
 * sums to 1, so that no place sounds louder than another.
 */
export function designTable(spec: Spec, rows: number, steps: number, first = 0): FilterTable {
  const { half, rowLength } = spec;
  const taps = new Float32Array(rows * rowLength);
  const row = new Float64Array(2 * half);
  const front = rowLength - row.length;
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const tap = windowedSinc(spec, i - (half - 1) - (first + r) / steps);
      row[i] = tap;
      sum += tap;
    }
    const at = r * rowLength + front;
    for (let i = 0; i < row.length; i++) taps[at + i] = (row[i] ?? 0) / sum;
  }
  return { taps, rowLength, half };
}

/** The impulse response at `t` input samples from its middle, but for a factor. */
function windowedSinc({ cutoff, beta, half }: Spec, t: number): number {
  const place = t / half;
  const inside = 1 - place * place;
  if (inside < 0) return 0;
  const angle = 2 * Math.PI * cutoff * t;
  return besselI0(beta * Math.sqrt(inside)) * (angle === 0 ? 1 : Math.sin(angle) / angle);
}

/** Modified Bessel function of the first kind, order 0, by its power series (Abramowitz, Stegun 9.6.12). */
function besselI0(x: number): number {
  const square = (x * x) / 4;
  let sum = 1;
  for (let k = 1, term = 1; term > sum * 1e-10; k++) {
    term *= square / (k * k);
    sum += term;
  }
  return sum;
}
