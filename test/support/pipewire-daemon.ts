/** PipeWire with its PulseAudio server for tests: session bus, wireplumber and all, alone in a fresh directory. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketReady } from './pulse-daemon';
import { adopt, endChild, soundClients, type Player, type SoundServer } from './sound-clients';

export interface PipeWireDaemon extends SoundServer {
  /** Of all its processes that run. */
  readonly pids: readonly number[];
  /** SIGKILL to the PulseAudio server; PipeWire itself goes on. */
  killPulse(): Promise<void>;
  /** Starts the PulseAudio server again. */
  restartPulse(): Promise<void>;
  /** Ends everything, removes the directory. May be called twice. */
  stop(): Promise<void>;
}

/** The programs that {@link startPipeWire} needs. */
export const PIPEWIRE_PROGRAMS = ['pipewire', 'wireplumber', 'pipewire-pulse', 'dbus-daemon', 'pactl'];

/** Starts PipeWire with one null sink, `vspk`, 48 kHz stereo, as the default. */
export async function startPipeWire(): Promise<PipeWireDaemon> {
  const dir = mkdtempSync(join(tmpdir(), 'orgo-pipewire-'));
  const bus = join(dir, 'bus');
  const socket = join(dir, 'pulse', 'native');
  mkdirSync(join(dir, 'pulse'));
  const env = {
    HOME: dir,
    XDG_RUNTIME_DIR: dir,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}`,
    PULSE_SERVER: `unix:${socket}`,
  };
  const launch = (program: string, ...args: string[]): ChildProcess =>
    adopt(spawn(program, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: 'ignore' }));
  const launchPulse = async (): Promise<ChildProcess> => {
    rmSync(socket, { force: true });
    const child = launch('pipewire-pulse');
    await socketReady(socket, () => child.exitCode === null && child.signalCode === null);
    return child;
  };

  const others = [launch('dbus-daemon', '--session', '--nofork', `--address=unix:path=${bus}`)];
  const isAlive = (): boolean => others.every((child) => child.exitCode === null);
  await socketReady(bus, isAlive);
  others.unshift(launch('pipewire'));
  await socketReady(join(dir, 'pipewire-0'), isAlive);
  others.unshift(launch('wireplumber'));
  let pulse = await launchPulse();

  const players = new Set<Player>();
  const clients = soundClients(env, players);
  await clients.pactl(
    'load-module',
    'module-null-sink',
    'sink_name=vspk',
    'rate=48000',
    'channel_map=front-left,front-right',
  );
  await clients.pactl('set-default-sink', 'vspk');
  return {
    socket,
    env,
    ...clients,
    get pids() {
      return [pulse, ...others].flatMap(({ pid }) => pid ?? []);
    },
    killPulse: () => endChild(pulse, 'SIGKILL'),
    async restartPulse() {
      await endChild(pulse, 'SIGKILL');
      pulse = await launchPulse();
    },
    async stop() {
      await Promise.all([...players].map((player) => player.stop()));
      for (const child of [pulse, ...others]) await endChild(child, 'SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
