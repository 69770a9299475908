/** Magnitudes of a short-time Fourier transform, as the network's first layer wants them. */

/** Samples in one frame: the transform's length. */
export const STFT_LENGTH = 256;
/** Samples from one frame to the next. */
export const STFT_HOP = 128;
/** Frequencies from 0 up to half the sample rate. */
export const STFT_BINS = STFT_LENGTH / 2 + 1;

const STAGES = Math.log2(STFT_LENGTH);
const TURN = (2 * Math.PI) / STFT_LENGTH;

/** Periodic Hann. */
const WINDOW = Float64Array.from({ length: STFT_LENGTH }, (_, n) => 0.5 - 0.5 * Math.cos(TURN * n));
const COSINE = Float64Array.from({ length: STFT_LENGTH / 2 }, (_, k) => Math.cos(TURN * k));
const SINE = Float64Array.from({ length: STFT_LENGTH / 2 }, (_, k) => Math.sin(TURN * k));
const REVERSED = Uint8Array.from({ length: STFT_LENGTH }, (_, n) => {
  let reversed = 0;
  for (let bit = 0; bit < STAGES; bit++) reversed |= ((n >> bit) & 1) << (STAGES - 1 - bit);
  return reversed;
});

const re = new Float64Array(STFT_LENGTH);
const im = new Float64Array(STFT_LENGTH);

/**
 * The magnitudes of two neighbouring frames. Two real signals cost one complex transform: the first goes in as
 * the real part, the second as the imaginary part, and the symmetry of real spectra takes them apart again.
 * @param samples the first frame starts at `start`, the second {@link STFT_HOP} later
 * @param out receives {@link STFT_BINS} values at `first`, and as many at `second`
 */
export function magnitudesOfTwoFrames(
  samples: Float32Array,
  start: number,
  out: Float32Array,
  first: number,
  second: number,
): void {
  for (let n = 0; n < STFT_LENGTH; n++) {
    const to = REVERSED[n] ?? 0;
    const weight = WINDOW[n] ?? 0;
    re[to] = weight * (samples[start + n] ?? 0);
    im[to] = weight * (samples[start + STFT_HOP + n] ?? 0);
  }
  transform();
  for (let k = 0; k < STFT_BINS; k++) {
    const mirror = (STFT_LENGTH - k) % STFT_LENGTH;
    const a = re[k] ?? 0;
    const b = im[k] ?? 0;
    const c = re[mirror] ?? 0;
    const d = im[mirror] ?? 0;
    out[first + k] = 0.5 * Math.sqrt((a + c) * (a + c) + (b - d) * (b - d));
    out[second + k] = 0.5 * Math.sqrt((a - c) * (a - c) + (b + d) * (b + d));
  }
}

/** Radix-2 Fourier transform, decimation in time, of `re` + i·`im` in bit-reversed order (Cooley, Tukey 1965). */
function transform(): void {
  for (let half = 1; half < STFT_LENGTH; half *= 2) {
    const stride = STFT_LENGTH / (2 * half);
    for (let block = 0; block < STFT_LENGTH; block += 2 * half) {
      for (let i = 0; i < half; i++) {
        const cosine = COSINE[i * stride] ?? 0;
        const sine = SINE[i * stride] ?? 0;
        const top = block + i;
        const bottom = top + half;
        const x = re[bottom] ?? 0;
        const y = im[bottom] ?? 0;
        const turnedX = x * cosine + y * sine;
        const turnedY = y * cosine - x * sine;
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
