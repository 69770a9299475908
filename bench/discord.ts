/** A Discord voice: latency from message to wire, stalls beside the library's own player, drift for a day, and the cost. */
import { fork, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Simulation, sound } from '../test/discord/support/simulation';
import { NODE_24 } from '../test/discord/support/newer-node';
import { BOT, GUILD, StandIn, TOKEN, VOICE } from '../test/discord/support/stand-in';
import { needs } from '../test/support/needs';
import type { SourceOrder, SourceReport } from './lib/discord-source';
import { FRAME_MS, stallFigures, type Arrival } from './lib/discord-stalls';
import { monotonicMs } from './lib/monotonic';
import { argument, printTable } from './lib/table';

const HOURS = argument('hours', 24);
const SECONDS = argument('seconds', 20);
/** What a process does once, when it has started, is not its cost. */
const WARM_UP_MS = 5000;
const STEADY_MS = WARM_UP_MS + SECONDS * 1000;

/** The pacer alone, on a simulated clock. */
function simulate(name: string, minutes: number, ppm: number, pauseEvery: number): string[] {
  const simulation = new Simulation({ remembers: 10 });
  const packet = sound(0);
  const origin = simulation.now;
  let [deepest, rtpError] = [0, 0];
  for (let i = 0; i < minutes * 3000; i++) {
    const silent = pauseEvery > 0 && i % pauseEvery < 10;
    simulation.push({ ...packet, silent, sourceMs: i * FRAME_MS, clockMs: i * FRAME_MS });
    simulation.runUntil(origin + ((i + 1) * FRAME_MS) / (1 + ppm / 1e6));
    deepest = Math.max(deepest, simulation.pacer.stats.queueMs);
    const [first, last] = [simulation.sent[0], simulation.sent.at(-1)];
    if (first && last)
      rtpError = Math.max(rtpError, Math.abs((last.rtpTime - first.rtpTime) / 48 - (last.at - first.at)));
  }
  const { dropped, missing, adjusted, queueMs, driftPpm } = simulation.pacer.stats;
  const figures = [deepest, queueMs, rtpError.toFixed(1), dropped, missing, adjusted, driftPpm?.toFixed(1)];
  return [name, ...figures.map((figure) => String(figure ?? '–'))];
}

interface Outcome {
  readonly arrivals: Arrival[];
  readonly dropped: number;
  /** Of the process that sends to Discord. */
  readonly cost: Cost;
  /** Of a bare peer in the same seconds. */
  readonly bare: Cost;
}

interface Cost {
  readonly rssMb: number;
  /** % of a core. */
  readonly cpu: number;
}

/** A source in a process of its own, as in Node-RED's: what it brings, until it reaches the stand-in's socket. */
async function speakBy(speaker: SourceOrder['speaker']): Promise<Outcome> {
  const discord = await StandIn.start({ daveVersion: 0 });
  const program = discord.program;
  const child = fork(join(__dirname, 'lib', 'discord-source.ts'), [], {
    ...{ execPath: NODE_24, execArgv: ['--import', 'tsx'], env: program.env, serialization: 'advanced' },
  });
  const bare = await startBarePeer();
  const reports = reportsOf(child);
  const order: SourceOrder = {
    ...{ speaker, userId: BOT, apiUrl: discord.gateway.apiUrl, endpoint: discord.voice.endpoint, program },
    ...{ place: { token: TOKEN, guildId: GUILD, channelId: VOICE }, steadyMs: STEADY_MS },
  };
  child.send(order);
  const ready = await reports('ready');
  await delay(WARM_UP_MS);
  const costs = [costDuring(ready.pid, SECONDS), costDuring(bare.pid, SECONDS)] as const;
  const [cost, bareCost] = await Promise.all(costs);
  const done = await reports('done');
  const offset = monotonicMs() - performance.now();
  const arrivals = discord.voice.receivedFrom(BOT).flatMap(({ at, payload }) => {
    if (payload.length <= 3) return [];
    const sourceMs = payload.readUInt32BE(1) * FRAME_MS;
    return [{ atMs: at + offset - done.start, sourceMs }];
  });
  bare.stop();
  child.kill();
  await discord.stop();
  return { arrivals, dropped: done.dropped, cost, bare: bareCost };
}

type ReportOf<K> = Extract<SourceReport, { kind: K }>;

function reportsOf(child: ChildProcess): <K extends SourceReport['kind']>(kind: K) => Promise<ReportOf<K>> {
  const told: SourceReport[] = [];
  child.on('message', (message) => told.push(message as SourceReport));
  return async (kind) => {
    for (;;) {
      const found = told.find((report) => report.kind === kind);
      if (found) return found as ReportOf<typeof kind>;
      await once(child, 'message');
    }
  };
}

async function startBarePeer(): Promise<{ pid: number; stop: () => void }> {
  const sink = createSocket('udp4');
  sink.bind(0, '127.0.0.1');
  await once(sink, 'listening');
  const child = fork(join(__dirname, 'lib', 'bare-peer.mjs'), [], {
    ...{ execPath: NODE_24, execArgv: [], serialization: 'advanced' },
  });
  child.send(sink.address().port);
  const timer = setInterval(() => child.send(Buffer.alloc(169)), FRAME_MS);
  const stop = (): void => {
    clearInterval(timer);
    child.kill();
    sink.close();
  };
  return { pid: child.pid ?? 0, stop };
}

async function costDuring(pid: number, seconds: number): Promise<Cost> {
  const [before, start] = [await cpuMs(pid), performance.now()];
  await delay(seconds * 1000);
  const cpu = (100 * ((await cpuMs(pid)) - before)) / (performance.now() - start);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return { cpu, rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024 };
}

/** User and system. */
async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function besideThePlayer(): Promise<void> {
  const outcomes = {
    'orgo-discord-voice': await speakBy('ours'),
    "the library's AudioPlayer": await speakBy('player'),
  };
  const columns = ['p50 ms', 'p99 ms'];
  for (const event of ['stall', 'block'])
    columns.push(`back after the ${event}, ms`, `late at the end, ms`, 'most packets in 20 ms');
  printTable(
    'Opus from a source to the wire; it stalls for 500 ms, and its event loop is blocked for 600 ms',
    ['', ...columns, 'dropped'],
    Object.entries(outcomes).map(([name, { arrivals, dropped }]) => [
      name,
      ...stallFigures(arrivals, STEADY_MS),
      String(dropped),
    ]),
  );
  const { cost, bare } = outcomes['orgo-discord-voice'];
  printTable(
    'What the relay costs, beside a bare Node that sends an encrypted packet each 20 ms',
    ['', 'RSS MiB', '% of a core', 'of the bare peer'],
    [
      ['relay', cost.rssMb.toFixed(1), cost.cpu.toFixed(1), (cost.cpu / bare.cpu).toFixed(2)],
      ['bare peer', bare.rssMb.toFixed(1), bare.cpu.toFixed(1), '1'],
    ],
  );
}

async function main(): Promise<void> {
  printTable(
    'The pacer on a simulated clock',
    [
      'simulated',
      'deepest ms',
      'at the end ms',
      'RTP off ms',
      'dropped',
      'missing',
      'adjusted',
      'ppm measured',
    ],
    [
      simulate('1 % fast, 10 min, no pause', 10, 10_000, 0),
      simulate('1 % slow, 10 min, no pause', 10, -10_000, 0),
      simulate(`50 ppm fast, ${HOURS} h, a pause every 30 s`, HOURS * 60, 50, 1500),
      simulate(`50 ppm slow, ${HOURS} h, a pause every 30 s`, HOURS * 60, -50, 1500),
    ],
  );
  const { skip } = needs('node24-discord');
  if (skip !== false) console.log(`${skip}: run node scripts/setup-runtimes.mjs node24-discord`);
  else await besideThePlayer();
}

void main();
