/** Reads samples at any rate near or far from their own: a windowed sinc, at places between them as fine as wanted. */
import { designTable, ratioOf, specOf } from '../src/resample/design';
import type { SampleQueue } from './sample-queue';

/** Rows of the table for one sample; between two of them taps are interpolated, which errs by less than −90 dB. */
const STEPS = 256;

export class Interpolator {
  readonly #table: Float32Array;
  readonly #rowLength: number;
  /** Samples that must be there beyond an output's place. */
  readonly #half: number;
  /** The taps at the place of one output. */
  readonly #taps: Float32Array;
  /** The samples that outputs are made of, one array for each channel. */
  readonly #windows: readonly Float32Array[];
  readonly #steps: number;
  /** Samples in each window. */
  #filled = 0;
  /** Where the next output lies: so much after the window's first full row, in samples. */
  #place = 0;

  /**
   * @param inputRate of the samples, Hz
   * @param outputRate of what is made of them, Hz
   * @param maxOutputs that one call of {@link run} makes
   */
  constructor(inputRate: number, outputRate: number, channels: number, maxOutputs: number) {
    const spec = specOf(ratioOf(inputRate, outputRate), 'fast');
    this.#steps = STEPS;
    this.#table = designTable(spec, this.#steps + 1, this.#steps).taps;
    this.#rowLength = spec.rowLength;
    this.#half = spec.half;
    this.#taps = new Float32Array(spec.rowLength);
    const length = Math.ceil((maxOutputs * inputRate * 1.01) / outputRate) + this.#rowLength + 2;
    this.#windows = Array.from({ length: channels }, () => new Float32Array(length));
    this.clear();
  }

  /** Forgets what was read: the next output lies at the next sample, with silence before it. */
  clear(): void {
    for (const window of this.#windows) window.fill(0);
    this.#filled = this.#rowLength - this.#half - 1;
    this.#place = 0;
  }

  /** Samples that it takes from the queue beyond those that it plays: none once it runs. */
  get lookahead(): number {
    return Math.max(0, this.#rowLength - 1 - this.#filled);
  }

  /** Samples that must wait in the queue for `count` outputs, each `step` samples after the one before. */
  needed(count: number, step: number): number {
    return Math.max(0, Math.floor(this.#place + (count - 1) * step) + this.#rowLength - this.#filled);
  }

  /**
   * Writes `count` outputs into `outputs`, an array for each channel. The queue must hold what they need.
   * @returns samples taken from the queue
   */
  run(queue: SampleQueue, outputs: readonly Float32Array[], count: number, step: number): number {
    const needed = this.needed(count, step);
    queue.read(this.#windows, this.#filled, needed);
    this.#filled += needed;
    for (let n = 0; n < count; n++) {
      const place = this.#place + n * step;
      const from = Math.floor(place);
      this.#setTaps(place - from);
      for (let channel = 0; channel < outputs.length; channel++) {
        const window = this.#windows[channel];
        const output = outputs[channel];
        if (window && output) output[n] = this.#product(window, from);
      }
    }
    this.#moveOn(this.#place + count * step);
    return needed;
  }

  #setTaps(fraction: number): void {
    const table = this.#table;
    const taps = this.#taps;
    const rowLength = this.#rowLength;
    const row = Math.floor(fraction * this.#steps);
    const share = fraction * this.#steps - row;
    const at = row * rowLength;
    for (let i = 0; i < rowLength; i++) {
      const tap = table[at + i] ?? 0;
      taps[i] = tap + share * ((table[at + rowLength + i] ?? 0) - tap);
    }
  }

  #product(window: Float32Array, from: number): number {
    const taps = this.#taps;
    const rowLength = this.#rowLength;
    let sum = 0;
    for (let i = 0; i < rowLength; i++) sum += (taps[i] ?? 0) * (window[from + i] ?? 0);
    return sum;
  }

  /** Keeps of the windows what the output at `place` needs. */
  #moveOn(place: number): void {
    const done = Math.min(Math.floor(place), this.#filled);
    for (const window of this.#windows) window.copyWithin(0, done, this.#filled);
    this.#filled -= done;
    this.#place = place - done;
  }
}
