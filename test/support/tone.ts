/** How loud one tone is in a stretch of samples, and at which phase. */

export interface Tone {
  readonly hz: number;
  readonly sampleRate: number;
}

export interface ToneMeasure {
  /** Of full scale: 0 to 1. */
  readonly amplitude: number;
  /** Radians, −π to π, of the sine at sample 0. */
  readonly phase: number;
}

/** One channel of interleaved s16le as samples of full scale ±1. */
export function channelOf(pcm: Buffer, channels: number, channel = 0): Float64Array {
  const samples = new Float64Array(Math.floor(pcm.length / 2 / channels));
  for (let i = 0; i < samples.length; i++) samples[i] = pcm.readInt16LE((i * channels + channel) * 2) / 32768;
  return samples;
}

/** The sine of `hz` that is nearest to `samples[from, to)`, by least squares: exact for any length. */
export function measureTone(
  samples: Float64Array,
  { hz, sampleRate }: Tone,
  from = 0,
  to = samples.length,
): ToneMeasure {
  let [ss, sc, cc, xs, xc] = [0, 0, 0, 0, 0];
  for (let i = from; i < to; i++) {
    const angle = (2 * Math.PI * hz * i) / sampleRate;
    const [sine, cosine, x] = [Math.sin(angle), Math.cos(angle), samples[i] ?? 0];
    ss += sine * sine;
    sc += sine * cosine;
    cc += cosine * cosine;
    xs += x * sine;
    xc += x * cosine;
  }
  const determinant = ss * cc - sc * sc;
  const a = (xs * cc - xc * sc) / determinant;
  const b = (xc * ss - xs * sc) / determinant;
  return { amplitude: Math.hypot(a, b), phase: Math.atan2(b, a) };
}

/** `to` − `from`, brought into −π to π. */
export function phaseStep(from: number, to: number): number {
  const turn = 2 * Math.PI;
  return ((((to - from + Math.PI) % turn) + turn) % turn) - Math.PI;
}
