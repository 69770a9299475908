/** Makes whole samples of bytes that come cut anywhere. */

const NOTHING = Buffer.alloc(0);

/** Keeps the part of a sample that a piece ends with for the next one. */
export class SampleJoiner {
  private rest: Buffer = NOTHING;

  /** Whether a part of a sample waits for its rest. */
  get holds(): boolean {
    return this.rest.length > 0;
  }

  /**
   * The whole samples that are there with `bytes`; nothing is copied where nothing waited, but what waits now.
   * @param sampleBytes of one sample in every channel; the same until {@link clear}
   */
  push(bytes: Buffer, sampleBytes: number): Buffer {
    const data = this.rest.length > 0 ? Buffer.concat([this.rest, bytes]) : bytes;
    const left = data.length % sampleBytes;
    if (left === 0) {
      this.rest = NOTHING;
      return data;
    }
    const end = data.length - left;
    this.rest = Buffer.from(data.subarray(end));
    return data.subarray(0, end);
  }

  /** Forgets what waits: what comes next does not go on with it. */
  clear(): void {
    this.rest = NOTHING;
  }
}
