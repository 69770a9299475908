/** What tests do with any sound server: ask and change it with `pactl`, play into it. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Tone {
  /** Hz; 0 is digital silence */
  readonly hz: number;
  readonly seconds: number;
  /** Amplitude, 0 to 1; 0.5 */
  readonly amplitude?: number;
  /** Hz; 48000 */
  readonly rate?: number;
  /** 2 */
  readonly channels?: number;
}

export interface PlayOptions {
  /** Blank: the default sink. */
  readonly sink?: string;
  /** What the player asks for; left out: the library's default of 2 s. */
  readonly latencyMs?: number;
}

export interface Player {
  /** Resolves when all was played, or after {@link stop}. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

export interface Recording {
  /** Ends it and returns all that was recorded. */
  stop(): Promise<Buffer>;
}

/** What every client of a test's sound server needs. */
export interface SoundServer {
  /** Path of the unix socket. */
  readonly socket: string;
  /** PULSE_SERVER, PULSE_COOKIE and private homes: to be merged over process.env, or used alone with PATH. */
  readonly env: Record<string, string>;
  /** Runs `pactl` and returns what it printed. */
  pactl(...args: string[]): Promise<string>;
  /** Records a source with `parec`, as s16le at 48 kHz stereo; resolves when the first byte has come. */
  record(source: string): Promise<Recording>;
  /** Plays a file (as `paplay` does), a tone or raw s16le stereo at 48 kHz. */
  play(what: string | Tone | Buffer, options?: PlayOptions): Player;
}

/** Interleaved s16le of a sine that starts at phase 0. */
export function toneSamples({ hz, seconds, amplitude = 0.5, rate = 48_000, channels = 2 }: Tone): Buffer {
  const samples = Math.round(seconds * rate);
  const data = Buffer.alloc(samples * channels * 2);
  for (let i = 0; i < samples; i++) {
    const value = Math.round(amplitude * 32767 * Math.sin((2 * Math.PI * hz * i) / rate));
    for (let channel = 0; channel < channels; channel++) {
      data.writeInt16LE(value, (i * channels + channel) * 2);
    }
  }
  return data;
}

/** Ends `child` at the latest with this process. */
export function adopt<Child extends ChildProcess>(child: Child): Child {
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  return child;
}

/** Ends a child and waits until it is gone. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** `pactl` and players for a sound server; `players` holds those that still play. */
export function soundClients(
  env: Record<string, string>,
  players: Set<Player>,
): Pick<SoundServer, 'pactl' | 'play' | 'record'> {
  const childEnv = { PATH: process.env['PATH'] ?? '', ...env };
  return {
    async pactl(...args) {
      return (await run('pactl', args, { env: childEnv })).stdout;
    },
    async record(source) {
      const child = adopt(
        spawn(
          'parec',
          ['--raw', '--format=s16le', '--rate=48000', '--latency-msec=10', `--device=${source}`],
          {
            env: childEnv,
            stdio: ['ignore', 'pipe', 'ignore'],
          },
        ),
      );
      const chunks: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      // What lies in the pipe when it exits belongs to the recording, too.
      const closed = once(child, 'close');
      await once(child.stdout, 'data');
      return {
        async stop() {
          await endChild(child);
          await closed;
          return Buffer.concat(chunks);
        },
      };
    },
    play(what, { sink, latencyMs } = {}) {
      const device = sink === undefined ? [] : [`--device=${sink}`];
      const latency = latencyMs === undefined ? [] : [`--latency-msec=${latencyMs}`];
      const tone = typeof what === 'string' || Buffer.isBuffer(what) ? undefined : what;
      const raw = [
        '--raw',
        '--format=s16le',
        `--rate=${tone?.rate ?? 48_000}`,
        `--channels=${tone?.channels ?? 2}`,
      ];
      const child = adopt(
        typeof what === 'string'
          ? spawn('paplay', [...device, ...latency, what], { env: childEnv, stdio: 'ignore' })
          : spawn('pacat', ['--playback', ...device, ...latency, ...raw], {
              env: childEnv,
              stdio: ['pipe', 'ignore', 'ignore'],
            }),
      );
      // A player that is stopped early leaves its pipe broken.
      child.stdin?.on('error', () => child.stdin?.destroy());
      if (typeof what !== 'string') child.stdin?.end(tone ? toneSamples(tone) : what);
      const player: Player = {
        done: once(child, 'exit').then(() => {
          players.delete(player);
        }),
        async stop() {
          await endChild(child);
          await player.done;
        },
      };
      players.add(player);
      return player;
    },
  };
}
