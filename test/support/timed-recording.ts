/** What a sink played, recorded by `parec` as the sink has it, with the time of each sample. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { adopt, endChild } from './sound-clients';
import type { RawFormat } from './sox';

const MS_PER_S = 1000;
/** Of the tests' sink: nothing is resampled on the way. */
const SINK_FORMAT: RawFormat = { rate: 48_000, channels: 2 };

export interface TimedRecording {
  /** Ends it. */
  stop(): Promise<RecordedSound>;
}

export interface RecordedSound {
  /** Of the first sample, epoch ms. */
  readonly startTime: number;
  readonly format: RawFormat;
  /** s16le */
  readonly data: Buffer;
}

/** Records `source`, of the sound server that `env` names. Resolves when sound comes. */
export async function startTimedRecording(
  env: Readonly<Record<string, string>>,
  source: string,
): Promise<TimedRecording> {
  const { rate, channels } = SINK_FORMAT;
  const format = ['--raw', '--format=s16le', `--rate=${rate}`, `--channels=${channels}`, '--latency-msec=10'];
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
    startTime = Math.min(startTime, now - (bytes / (2 * channels) / rate) * MS_PER_S);
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  return {
    async stop() {
      await endChild(child);
      await closed;
      return { startTime, format: SINK_FORMAT, data: Buffer.concat(chunks) };
    },
  };
}
