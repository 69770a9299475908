/** What a sink played, recorded by `parec`, with the time of each sample; and where in it a sound is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { adopt, endChild } from './sound-clients';

const MS_PER_S = 1000;
/** Hz; mono. */
export const RECORDING_RATE = 16_000;
/** What is looked for: the loudest piece of this length, long enough to be like no other. */
const EXCERPT_SAMPLES = 0.4 * RECORDING_RATE;
const EXCERPT_STEP = 0.05 * RECORDING_RATE;
const COARSE_SAMPLES = 8;

export interface TimedRecording {
  /** Ends it. */
  stop(): Promise<RecordedSound>;
}

export interface RecordedSound {
  /** Epoch ms. */
  readonly startTime: number;
  readonly samples: Int16Array;
}

export interface Place {
  /** Index in the recording of the sound's first sample. */
  readonly index: number;
  /** Of the sound's excerpt and the recording there: 1 where they differ in loudness alone. */
  readonly correlation: number;
}

/** Records `source`, of the sound server that `env` names. Resolves when sound comes. */
export async function startTimedRecording(
  env: Readonly<Record<string, string>>,
  source: string,
): Promise<TimedRecording> {
  const format = ['--raw', '--format=s16le', `--rate=${RECORDING_RATE}`, '--channels=1', '--latency-msec=10'];
  const child = adopt(
    spawn('parec', [...format, `--device=${source}`], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Nothing arrives before it was played: the earliest line under all arrivals is the nearest to the truth.
  let startTime = Infinity;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    const now = performance.timeOrigin + performance.now();
    startTime = Math.min(startTime, now - (bytes / 2 / RECORDING_RATE) * MS_PER_S);
  });
  await once(child.stdout, 'data');
  return {
    async stop() {
      await endChild(child);
      return { startTime, samples: samplesOf(Buffer.concat(chunks)) };
    },
  };
}

/** s16le as numbers; an odd byte at the end is left out. */
export function samplesOf(data: Buffer): Int16Array {
  return Int16Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(2 * i));
}

/** Where in `recording` the `sound` is, by cross-correlation of its loudest piece. Both at one sample rate. */
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
