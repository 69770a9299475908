/** Takes the click out of every jump: what was heard last fades into what comes next. */

/** To a third in this time, ms. */
const FADE_MS = 2;
/** A share of this is nothing: −100 dB. */
const INAUDIBLE = 1e-5;

export class Fader {
  readonly #decay: number;
  /** The last sample of each output. */
  #heard: readonly [number, number] = [0, 0];
  /** What was heard before the last jump, and its share in the next output. */
  #held: readonly [number, number] = [0, 0];
  #share = 0;

  /** @param sampleRate Hz */
  constructor(sampleRate: number) {
    this.#decay = Math.exp(-1000 / (FADE_MS * sampleRate));
  }

  /** What comes next does not continue what came before. */
  jump(): void {
    this.#held = this.#heard;
    this.#share = 1;
  }

  /** Fades, in place, what is to be heard next. */
  run(left: Float32Array, right: Float32Array): void {
    const [heldLeft, heldRight] = this.#held;
    let share = this.#share;
    if (share > 0) {
      for (let i = 0; i < left.length; i++) {
        left[i] = (left[i] ?? 0) * (1 - share) + heldLeft * share;
        right[i] = (right[i] ?? 0) * (1 - share) + heldRight * share;
        share *= this.#decay;
      }
    }
    this.#share = share < INAUDIBLE ? 0 : share;
    this.#heard = [left.at(-1) ?? 0, right.at(-1) ?? 0];
  }
}
