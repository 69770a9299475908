/** Makes 48 kHz stereo a little shorter or longer, by a ratio that may change at any time, without a click. */

/** Samples on each side that count for an output. */
const HALF_WIDTH = 16;
const TAPS = 2 * HALF_WIDTH;
/** Filters kept for places between two samples; between two of them it is interpolated: an error below −100 dB. */
const PHASES = 512;
/** Kaiser window: 80 dB of rejection. */
const KAISER_BETA = 8;
const CHANNELS = 2;

/** Row `p` is the filter for the place `p` / PHASES after the sample before it. */
const TABLE = designTable();

/** Output `n` is the sound at the place where the sum of all ratios so far has led: the phase never jumps. */
export class Stretcher {
  /** Input samples for each output sample: above 1 makes the sound shorter. */
  ratio = 1;
  /** Interleaved; begins with the samples that the next output needs before its place. */
  private held = new Float32Array((HALF_WIDTH - 1) * CHANNELS);
  /** Where the next output lies after sample HALF_WIDTH − 1 of `held`, in samples. */
  private place = 0;

  /** @param input interleaved stereo @returns interleaved stereo, as much as can be said for certain */
  push(input: Float32Array): Float32Array {
    const held = new Float32Array(this.held.length + input.length);
    held.set(this.held);
    held.set(input, this.held.length);
    const last = held.length / CHANNELS - TAPS;
    const count = Math.max(0, Math.floor((last - this.place) / this.ratio) + 1);
    const output = new Float32Array(count * CHANNELS);
    if (this.ratio === 1 && this.place === 0) {
      // Every filter would be the one that takes a single sample.
      output.set(held.subarray((HALF_WIDTH - 1) * CHANNELS, (HALF_WIDTH - 1 + count) * CHANNELS));
      this.held = held.slice(count * CHANNELS);
      return output;
    }
    for (let i = 0; i < count; i++) {
      const first = Math.floor(this.place);
      interpolate(held, first * CHANNELS, this.place - first, output, i * CHANNELS);
      this.place += this.ratio;
    }
    const used = Math.min(Math.floor(this.place), held.length / CHANNELS);
    this.place -= used;
    this.held = held.slice(used * CHANNELS);
    return output;
  }

  /** The rest; afterwards it is as new, but for its ratio. */
  flush(): Float32Array {
    const output = this.push(new Float32Array(HALF_WIDTH * CHANNELS));
    this.held = new Float32Array((HALF_WIDTH - 1) * CHANNELS);
    this.place = 0;
    return output;
  }
}

function interpolate(
  held: Float32Array,
  from: number,
  phase: number,
  output: Float32Array,
  to: number,
): void {
  const scaled = phase * PHASES;
  const row = Math.floor(scaled);
  const share = scaled - row;
  const a = row * TAPS;
  let [left, right] = [0, 0];
  for (let tap = 0; tap < TAPS; tap++) {
    const below = TABLE[a + tap] ?? 0;
    const weight = below + share * ((TABLE[a + TAPS + tap] ?? 0) - below);
    left += weight * (held[from + tap * CHANNELS] ?? 0);
    right += weight * (held[from + tap * CHANNELS + 1] ?? 0);
  }
  output[to] = left;
  output[to + 1] = right;
}

/** A sinc under a Kaiser window; row 0 is exactly one sample, so that a ratio of 1 changes nothing. */
function designTable(): Float32Array {
  const table = new Float32Array((PHASES + 1) * TAPS);
  for (let row = 0; row <= PHASES; row++) {
    for (let tap = 0; tap < TAPS; tap++) {
      const x = tap - (HALF_WIDTH - 1) - row / PHASES;
      table[row * TAPS + tap] = sinc(x) * kaiser(x / HALF_WIDTH);
    }
  }
  return table;
}

function sinc(x: number): number {
  if (Number.isInteger(x)) return x === 0 ? 1 : 0;
  return Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA);
}

/** Modified Bessel function of order 0, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
