/** How loud the last 300 ms were. */

const BLOCKS = 6;
const BLOCK_MS = 50;
/** Shown for silence, dBFS: what 16 bits can't hold. */
export const SILENCE_DB = -96;

export class LevelMeter {
  readonly #blockSamples: number;
  /** Mean squares of the last whole blocks. */
  #blocks: number[] = [];
  #energy = 0;
  #count = 0;

  constructor(sampleRate: number) {
    this.#blockSamples = Math.round((sampleRate * BLOCK_MS) / 1000);
  }

  /** Takes samples of all channels, as many in each. @returns whether a block of 50 ms is complete */
  add(channels: readonly Float32Array[]): boolean {
    const [first] = channels;
    if (!first) return false;
    for (const channel of channels) {
      for (const sample of channel) this.#energy += (sample * sample) / channels.length;
    }
    this.#count += first.length;
    if (this.#count < this.#blockSamples) return false;
    this.#blocks.push(this.#energy / this.#count);
    if (this.#blocks.length > BLOCKS) this.#blocks.shift();
    this.#energy = this.#count = 0;
    return true;
  }

  /** RMS, dBFS: −96 to 0 and a little more. */
  get db(): number {
    const mean = this.#blocks.reduce((sum, block) => sum + block, 0) / Math.max(1, this.#blocks.length);
    return Math.max(SILENCE_DB, 10 * Math.log10(mean));
  }
}
