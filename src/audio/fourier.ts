/** The Fourier transform of a signal whose length is a power of two. */

export class Fourier {
  /** Before the transform, the signal in the order of {@link reversed}; after it, the spectrum in its own order. */
  readonly re: Float64Array;
  readonly im: Float64Array;
  private readonly cosine: Float64Array;
  private readonly sine: Float64Array;
  /** Where in `re` and `im` each sample goes: its index with the bits in reverse order. */
  readonly reversed: Uint32Array;

  /** @throws RangeError where `length` is no power of two */
  constructor(readonly length: number) {
    const stages = Math.log2(length);
    if (!Number.isInteger(stages) || stages < 1) throw new RangeError(`Fourier: a length of ${length}`);
    this.re = new Float64Array(length);
    this.im = new Float64Array(length);
    const turn = (2 * Math.PI) / length;
    this.cosine = Float64Array.from({ length: length / 2 }, (_, k) => Math.cos(turn * k));
    this.sine = Float64Array.from({ length: length / 2 }, (_, k) => Math.sin(turn * k));
    this.reversed = Uint32Array.from({ length }, (_, n) => {
      let reversed = 0;
      for (let bit = 0; bit < stages; bit++) reversed |= ((n >> bit) & 1) << (stages - 1 - bit);
      return reversed;
    });
  }

  /**
   * The power in each bin from 0 to half the sample rate.
   * @param ring the signal, as many samples as the transform has; it begins at `start`, and goes on at 0
   * @param weights of the window
   * @param out receives length / 2 + 1 squared magnitudes
   */
  power(ring: Float64Array, start: number, weights: Float64Array, out: Float64Array): void {
    const { length, re, im, reversed } = this;
    im.fill(0);
    for (let n = 0; n < length; n++) {
      re[reversed[n] ?? 0] = (ring[(start + n) % length] ?? 0) * (weights[n] ?? 0);
    }
    this.transform();
    for (let k = 0; k <= length / 2; k++) {
      const [a, b] = [re[k] ?? 0, im[k] ?? 0];
      out[k] = a * a + b * b;
    }
  }

  /** Of `re` + i·`im`, in place: radix 2, decimation in time (Cooley, Tukey 1965). */
  transform(): void {
    const { length, re, im, cosine, sine } = this;
    for (let half = 1; half < length; half *= 2) {
      const stride = length / (2 * half);
      for (let block = 0; block < length; block += 2 * half) {
        for (let i = 0; i < half; i++) {
          const c = cosine[i * stride] ?? 0;
          const s = sine[i * stride] ?? 0;
          const top = block + i;
          const bottom = top + half;
          const x = re[bottom] ?? 0;
          const y = im[bottom] ?? 0;
          const turnedX = x * c + y * s;
          const turnedY = y * c - x * s;
          const a = re[top] ?? 0;
          const b = im[top] ?? 0;
          re[top] = a + turnedX;
          im[top] = b + turnedY;
          re[bottom] = a - turnedX;
          im[bottom] = b - turnedY;
        }
      }
    }
  }
}
