/** Where in a recording a sound is, by cross-correlation; and how much differs there. */

export interface Place {
  /** Index in the recording of the sound's first sample. */
  readonly index: number;
  /** Of the sound's excerpt and the recording there: 1 where they differ in loudness alone. */
  readonly correlation: number;
}

/** What is looked for: the loudest piece of this length, long enough to be like no other. At 16 kHz: 0.4 s. */
const EXCERPT_SAMPLES = 6400;
const EXCERPT_STEP = 800;
const COARSE_SAMPLES = 8;

/** s16le as numbers; an odd byte at the end is left out. */
export function samplesOf(data: Buffer): Int16Array {
  return Int16Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(2 * i));
}

/** Where in `recording` the `sound` is, judged by its loudest piece. Both at one sample rate. */
export function locate(sound: Int16Array, recording: Int16Array): Place {
  const from = loudest(sound);
  const excerpt = Float64Array.from(sound.subarray(from, from + EXCERPT_SAMPLES));
  const all = Float64Array.from(recording);
  const roughly = correlate(averaged(excerpt), averaged(all)).index * COARSE_SAMPLES;
  const start = Math.max(0, roughly - 2 * COARSE_SAMPLES);
  const near = all.subarray(start, roughly + excerpt.length + 2 * COARSE_SAMPLES);
  const { index, correlation } = correlate(excerpt, near);
  return { index: start + index - from, correlation };
}

/** How far below `sound` lies what `other` has differently, in dB; loudness is not adjusted. */
export function signalToNoise(sound: Int16Array, other: Int16Array): number {
  let [signal, noise] = [0, 0];
  for (const [i, x] of sound.entries()) {
    signal += x * x;
    noise += square(x - (other[i] ?? 0));
  }
  return 10 * Math.log10(signal / Math.max(noise, 1));
}

/** The best place of `excerpt` in `samples`, whose normalised correlation is tried everywhere. */
function correlate(excerpt: Float64Array, samples: Float64Array): Place {
  const length = excerpt.length;
  const norm = Math.sqrt(excerpt.reduce((sum, x) => sum + x * x, 0));
  let energy = samples.subarray(0, length).reduce((sum, x) => sum + x * x, 0);
  let best: Place = { index: 0, correlation: -1 };
  for (let lag = 0; lag + length <= samples.length; lag++) {
    let product = 0;
    for (let i = 0; i < length; i++) product += (excerpt[i] ?? 0) * (samples[lag + i] ?? 0);
    const correlation = product / (norm * Math.sqrt(Math.max(energy, 1)));
    if (correlation > best.correlation) best = { index: lag, correlation };
    energy += square(samples[lag + length]) - square(samples[lag]);
  }
  return best;
}

/** One sample for each {@link COARSE_SAMPLES}: what a rough search needs, at 1/64 of its cost. */
function averaged(samples: Float64Array): Float64Array {
  return Float64Array.from({ length: Math.floor(samples.length / COARSE_SAMPLES) }, (_, i) => {
    const from = i * COARSE_SAMPLES;
    return samples.subarray(from, from + COARSE_SAMPLES).reduce((sum, x) => sum + x, 0) / COARSE_SAMPLES;
  });
}

function loudest(sound: Int16Array): number {
  let best = { at: 0, energy: -1 };
  for (let at = 0; at + EXCERPT_SAMPLES <= sound.length; at += EXCERPT_STEP) {
    const energy = sound.subarray(at, at + EXCERPT_SAMPLES).reduce((sum, x) => sum + x * x, 0);
    if (energy > best.energy) best = { at, energy };
  }
  return best.at;
}

function square(x = 0): number {
  return x * x;
}
