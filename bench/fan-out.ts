/** CPU of the server per delivered frame: ours, beside a bare `ws.send` loop and beside frames framed once. */
import { setTimeout as delay } from 'node:timers/promises';
import { FanOutServer, type Mode } from './lib/fan-out-client';
import { LoadClient } from './lib/load-clients';
import { argument, printTable, quantile } from './lib/table';

const MODES: readonly Mode[] = ['ours', 'framed-once', 'ws.send'];
const SECONDS = argument('seconds', 6);
const ROUNDS = argument('rounds', 3);
const CONNECT_AT_ONCE = 50;

interface Run {
  readonly cpuPerFrameUs: number;
  readonly core: number;
  readonly dropped: number;
  readonly missing: number;
  readonly bytesPerListener: number;
}

async function run(mode: Mode, count: number): Promise<Run> {
  const server = await FanOutServer.start(mode);
  const empty = await server.usage();
  const listeners: LoadClient[] = [];
  while (listeners.length < count) {
    const some = Array.from({ length: Math.min(CONNECT_AT_ONCE, count - listeners.length) }, () =>
      LoadClient.connect(server.port, server.path),
    );
    listeners.push(...(await Promise.all(some)));
  }
  await delay(1500);
  const delivered = (): number => listeners.reduce((sum, { frames }) => sum + frames, 0);
  const [before, framesBefore, startedAt] = [await server.usage(), delivered(), performance.now()];
  await delay(SECONDS * 1000);
  const [after, frames, ms] = [
    await server.usage(),
    delivered() - framesBefore,
    performance.now() - startedAt,
  ];
  for (const { socket } of listeners) socket.destroy();
  await server.stop();
  return {
    cpuPerFrameUs: ((after.cpuMs - before.cpuMs) * 1000) / frames,
    core: (after.cpuMs - before.cpuMs) / ms,
    dropped: after.dropped,
    missing: 1 - frames / (count * (ms / 20)),
    bytesPerListener: (after.rssBytes - empty.rssBytes) / count,
  };
}

async function main(): Promise<void> {
  const rows: string[][] = [];
  for (const count of [1, 100, 1000]) {
    const runs = new Map<Mode, Run[]>(MODES.map((mode) => [mode, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const mode of MODES) runs.get(mode)?.push(await run(mode, count));
    }
    const median = (mode: Mode, of: (run: Run) => number): number =>
      quantile((runs.get(mode) ?? []).map(of), 0.5);
    const cpu = (mode: Mode): number => median(mode, ({ cpuPerFrameUs }) => cpuPerFrameUs);
    rows.push([
      String(count),
      ...MODES.map((mode) => cpu(mode).toFixed(2)),
      (cpu('ours') / cpu('framed-once')).toFixed(2),
      (cpu('ours') / cpu('ws.send')).toFixed(2),
      `${(100 * median('ours', ({ core }) => core)).toFixed(1)} %`,
      String(Math.max(...(runs.get('ours') ?? []).map(({ dropped }) => dropped))),
      `${(100 * median('ours', ({ missing }) => missing)).toFixed(1)} %`,
      (median('ours', ({ bytesPerListener }) => bytesPerListener) / 1024).toFixed(0),
    ]);
  }
  const columns = [
    'listeners',
    'ours, µs',
    'framed once, µs',
    'ws.send, µs',
    'ours ÷ framed once',
    'ours ÷ ws.send',
  ];
  const more = ['of one core', 'dropped', 'late or missing', 'KB a listener'];
  printTable('Fan-out: server CPU per delivered frame, 24 kHz mono, loopback', [...columns, ...more], rows);
}

void main();
