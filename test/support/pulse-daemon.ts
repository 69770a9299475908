/** Real PulseAudio daemons for tests: each alone in a fresh directory, ready when the promise resolves. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { adopt, endChild, soundClients, type Player, type SoundServer } from './sound-clients';

export { toneSamples, type Player, type PlayOptions, type SoundServer, type Tone } from './sound-clients';

const READY_LIMIT_MS = 60_000;
const POLL_MS = 10;

export interface NullSink {
  readonly name: string;
  /** Hz; 48000 */
  readonly rate?: number;
  /** 2 */
  readonly channels?: number;
  /** The cure for the dead zone and the onset loss of null sinks; off, as on the usual virtual desktop. */
  readonly norewinds?: boolean;
}

export interface PulseOptions {
  /** Of the one sink, named `vspk`, when `sinks` is left out. */
  readonly rate?: number;
  readonly channels?: number;
  readonly norewinds?: boolean;
  readonly sinks?: readonly NullSink[];
  /** Also listens on this TCP port of 127.0.0.1. */
  readonly tcpPort?: number;
  /** More arguments for the daemon, such as `-L`, `module-suspend-on-idle timeout=1`. */
  readonly args?: readonly string[];
}

export interface PulseDaemon extends SoundServer {
  readonly dir: string;
  /** Of the running daemon. */
  readonly pid: number;
  /** SIGKILL: no goodbye to the clients. */
  kill(): Promise<void>;
  /** SIGSTOP, SIGCONT. */
  hang(): void;
  resume(): void;
  /** Starts it again at the same socket; one that still runs is ended first. */
  restart(): Promise<void>;
  /** Ends daemon and players, removes the directory. May be called twice. */
  stop(): Promise<void>;
}

/** Waits until a unix socket accepts connections; fails when `alive` says that its owner ended. */
export async function socketReady(path: string, alive: () => boolean): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadline) {
    if (!alive()) throw new Error(`the sound server ended before ${path} was ready`);
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(path, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (accepted) return;
    await delay(POLL_MS);
  }
  throw new Error(`${path} did not accept a connection within ${READY_LIMIT_MS} ms`);
}

/** Starts a daemon of its own; the first sink is the default. */
export async function startPulse(options: PulseOptions = {}): Promise<PulseDaemon> {
  const dir = mkdtempSync(join(tmpdir(), 'orgo-pulse-'));
  const socket = join(dir, 'native');
  const cookie = join(dir, 'cookie');
  writeFileSync(cookie, randomBytes(256), { mode: 0o600 });
  const env = {
    HOME: dir,
    XDG_RUNTIME_DIR: dir,
    PULSE_SERVER: `unix:${socket}`,
    PULSE_COOKIE: cookie,
  };
  const sinks = options.sinks ?? [{ name: 'vspk', ...options }];
  const modules = sinks.map(
    ({ name, rate = 48_000, channels = 2, norewinds = false }) =>
      `module-null-sink sink_name=${name} rate=${rate} channels=${channels} norewinds=${norewinds ? 1 : 0}`,
  );
  modules.push(`module-native-protocol-unix auth-cookie=${cookie} socket=${socket}`);
  if (options.tcpPort !== undefined) {
    modules.push(`module-native-protocol-tcp auth-cookie=${cookie} listen=127.0.0.1 port=${options.tcpPort}`);
  }
  const args = ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--log-target=null'];
  args.push(...modules.flatMap((module) => ['-L', module]), ...(options.args ?? []));

  const players = new Set<Player>();
  async function launch(): Promise<ChildProcess> {
    // A dead daemon's socket would look like a living one's until the new one has replaced it.
    rmSync(socket, { force: true });
    const child = adopt(
      spawn('pulseaudio', args, {
        env: { PATH: process.env['PATH'] ?? '', HOME: dir, XDG_RUNTIME_DIR: dir },
        stdio: 'ignore',
      }),
    );
    await socketReady(socket, () => child.exitCode === null && child.signalCode === null);
    return child;
  }
  let daemon = await launch();
  return {
    dir,
    socket,
    env,
    ...soundClients(env, players),
    get pid() {
      return daemon.pid ?? 0;
    },
    kill: () => endChild(daemon, 'SIGKILL'),
    hang: () => void daemon.kill('SIGSTOP'),
    resume: () => void daemon.kill('SIGCONT'),
    async restart() {
      await endChild(daemon, 'SIGKILL');
      daemon = await launch();
    },
    async stop() {
      await Promise.all([...players].map((player) => player.stop()));
      await endChild(daemon, 'SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
