/** Magnitudes of a short-time Fourier transform, as the network's first layer wants them. */
import { Fourier } from '../audio/fourier';

/** Samples in one frame: the transform's length. */
export const STFT_LENGTH = 256;
/** Samples from one frame to the next. */
export const STFT_HOP = 128;
/** Frequencies from 0 up to half the sample rate. */
export const STFT_BINS = STFT_LENGTH / 2 + 1;

/** Periodic Hann. */
const WINDOW = Float64Array.from(
  { length: STFT_LENGTH },
  (_, n) => 0.5 - 0.5 * Math.cos(((2 * Math.PI) / STFT_LENGTH) * n),
);
const FOURIER = new Fourier(STFT_LENGTH);

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
  const { re, im, reversed } = FOURIER;
  for (let n = 0; n < STFT_LENGTH; n++) {
    const to = reversed[n] ?? 0;
    const weight = WINDOW[n] ?? 0;
    re[to] = weight * (samples[start + n] ?? 0);
    im[to] = weight * (samples[start + STFT_HOP + n] ?? 0);
  }
  FOURIER.transform();
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
