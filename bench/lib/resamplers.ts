/** The resamplers that are compared: each takes a whole recording, as raw samples, from one rate to another. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kernel } from '../../src/kernels/index';
import { bytesPerSample, type PcmFormat } from '../../src/audio/format';
import type { PcmFrame } from '../../src/audio/frame';
import { Resampler, type Quality } from '../../src/resample/resampler';

const FRAMES_A_SECOND = 50;

/** A recording of one format, to become another of the same channels and encoding. */
export interface Job {
  readonly from: PcmFormat;
  readonly toRate: number;
  readonly data: Buffer;
}

export interface Candidate {
  readonly name: string;
  resample(job: Job): Buffer;
  /** CPU of 20 ms of sound, in µs: user and system. */
  cost(job: Job): number;
  /** ms; undefined where a program does not tell. */
  delay(job: Job): number | undefined;
}

/** Ours, in 20 ms frames, as a flow has them. */
export function ours(quality: Quality, kernel?: Kernel): Candidate {
  const run = ({ from, toRate, data }: Job): Buffer[] => {
    const resampler = new Resampler({ sampleRate: toRate, quality }, kernel);
    const out: Buffer[] = [];
    for (const frame of framesOf(from, data))
      for (const { data: sound } of resampler.push(frame)) out.push(sound);
    for (const { data: sound } of resampler.flush()) out.push(sound);
    return out;
  };
  return {
    name: `ours, ${quality}${kernel ? `, ${kernel.name} kernel` : ''}`,
    resample: (job) => Buffer.concat(run(job)),
    cost(job) {
      const before = process.cpuUsage();
      run(job);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / frameCount(job);
    },
    delay({ from, toRate }) {
      const resampler = new Resampler({ sampleRate: toRate, quality });
      for (const frame of framesOf(from, Buffer.alloc(bytesPerSample(from)))) resampler.push(frame);
      return resampler.delayMs;
    },
  };
}

function* framesOf(format: PcmFormat, data: Buffer): Generator<PcmFrame, undefined> {
  const size = bytesPerSample(format);
  const samples = format.sampleRate / FRAMES_A_SECOND;
  for (let position = 0; position * size < data.length; position += samples) {
    const frame = data.subarray(position * size, (position + samples) * size);
    const time = (position * 1000) / format.sampleRate;
    yield { format, data: frame, samples: frame.length / size, position, time, gap: 0, latencyMs: 0 };
  }
}

function frameCount({ from, data }: Job): number {
  return (data.length / bytesPerSample(from) / from.sampleRate) * FRAMES_A_SECOND;
}

/** `sox rate -v`, without dither. */
export const sox: Candidate = program('sox `rate -v`', ({ from, toRate }, input, output) => {
  const { encoding, channels, sampleRate } = from;
  const kind = encoding === 's16le' ? ['-e', 'signed', '-b', '16'] : ['-e', 'float', '-b', '32'];
  const raw = (rate: number): string[] => ['-t', 'raw', ...kind, '-c', String(channels), '-r', String(rate)];
  return ['sox', '-D', ...raw(sampleRate), input, ...raw(toRate), output, 'rate', '-v'];
});

/** ffmpeg with what it does by itself. */
export const ffmpeg: Candidate = program('ffmpeg, default', ({ from, toRate }, input, output) => {
  const { encoding, channels, sampleRate } = from;
  const rates = ['-f', encoding, '-ar', String(sampleRate), '-ac', String(channels), '-i', input];
  return ['ffmpeg', '-v', 'error', '-nostdin', '-y', ...rates, '-ar', String(toRate), '-f', encoding, output];
});

function program(name: string, command: (job: Job, input: string, output: string) => string[]): Candidate {
  return {
    name,
    resample: (job) =>
      withFile(job.data, (file) => {
        const [program = '', ...args] = command(job, file, '-');
        return execFileSync(program, args, { maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore'] });
      }),
    cost(job) {
      const seconds = (data: Buffer): number =>
        withFile(data, (file) => childSeconds(command({ ...job, data }, file, '/dev/null')));
      const oneFrame = job.data.subarray(0, job.data.length / frameCount(job));
      return ((seconds(job.data) - seconds(oneFrame)) * 1e6) / frameCount(job);
    },
    delay: () => undefined,
  };
}

function withFile<T>(data: Buffer, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'orgo-resample-'));
  try {
    const file = join(folder, 'in.raw');
    writeFileSync(file, data);
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** CPU that a command takes, user and system, as bash's `time` tells it. */
function childSeconds(command: readonly string[]): number {
  const script = 'TIMEFORMAT="%3U %3S"; time "$@" 2>/dev/null';
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} failed`);
  return stderr
    .trim()
    .split(/\s+/)
    .slice(-2)
    .reduce((sum, value) => sum + Number(value), 0);
}
