/** Samples that wait to be played: whole chunks in a row, read from the front, left out at either end. */

export class SampleQueue {
  /** Interleaved. */
  #chunks: Float32Array[] = [];
  /** Samples per channel of the first chunk that are gone already. */
  #taken = 0;
  /** Samples per channel that wait. */
  length = 0;

  constructor(readonly channels: number) {}

  /** @param chunk interleaved; kept as it is, so the caller must not write to it any more */
  push(chunk: Float32Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.length += chunk.length / this.channels;
  }

  /** Leaves out the oldest `count` samples. */
  drop(count: number): void {
    this.#advance(count, () => undefined);
  }

  /** Moves the oldest `count` samples into one array for each channel, from index `at` on. */
  read(targets: readonly Float32Array[], at: number, count: number): void {
    const { channels } = this;
    this.#advance(count, (chunk, from, size) => {
      for (let channel = 0; channel < channels; channel++) {
        const target = targets[channel];
        if (!target) continue;
        let source = from * channels + channel;
        for (let i = 0; i < size; i++, source += channels) target[at + i] = chunk[source] ?? 0;
      }
      at += size;
    });
  }

  #advance(count: number, visit: (chunk: Float32Array, from: number, size: number) => void): void {
    let left = Math.min(count, this.length);
    this.length -= left;
    let used = 0;
    for (const chunk of this.#chunks) {
      const size = Math.min(left, chunk.length / this.channels - this.#taken);
      visit(chunk, this.#taken, size);
      left -= size;
      this.#taken += size;
      if (this.#taken < chunk.length / this.channels) break;
      this.#taken = 0;
      used++;
    }
    if (used > 0) this.#chunks.splice(0, used);
  }
}
