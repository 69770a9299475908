/** What each choice of frame length and codec costs one server, by the number of its listeners: CPU, memory, bandwidth, age. */
import { setTimeout as delay } from 'node:timers/promises';
import { AgeProbe } from './lib/age-probe';
import { FanOutServer } from './lib/fan-out-client';
import { LoadClient } from './lib/load-clients';
import { argument, printTable, quantile } from './lib/table';

const SECONDS = argument('seconds', 5);
const ROUNDS = argument('rounds', 3);
/** The most listeners that are tried. */
const LARGEST = argument('largest', 5000);
const CONNECT_AT_ONCE = 50;
const SETTLE_MS = 2000;

interface Choice {
  readonly name: string;
  readonly query: string;
  readonly frameMs: number;
}

const CHOICES: readonly Choice[] = [
  { name: 'PCM, 20 ms', query: '', frameMs: 20 },
  { name: 'PCM, 5 ms', query: '&frame_ms=5', frameMs: 5 },
  { name: 'PCM, 60 ms', query: '&frame_ms=60', frameMs: 60 },
  { name: 'Opus 64 kbit/s, 20 ms', query: '&codec=opus', frameMs: 20 },
  { name: 'Opus 64 kbit/s, 60 ms', query: '&codec=opus&frame_ms=60', frameMs: 60 },
];
/** How many listeners, and the names of the choices that are tried with so many. */
const SIZES: readonly (readonly [count: number, choices: readonly string[]])[] = [
  [100, CHOICES.map(({ name }) => name)],
  [2000, ['PCM, 20 ms', 'PCM, 60 ms', 'Opus 64 kbit/s, 20 ms', 'Opus 64 kbit/s, 60 ms']],
  [5000, ['PCM, 60 ms', 'Opus 64 kbit/s, 60 ms']],
];

interface Run {
  /** Of the server, as a part of one core. */
  readonly core: number;
  readonly dropped: number;
  /** Part of the frames that did not arrive in the time. */
  readonly missing: number;
  readonly bytesPerSecond: number;
  readonly rssMiB: number;
  readonly ages: readonly number[];
}

async function run({ query, frameMs }: Choice, count: number): Promise<Run> {
  const server = await FanOutServer.start('ours');
  const path = `${server.path}${query}`;
  const probe = await AgeProbe.connect(server.port, path, frameMs);
  const listeners: LoadClient[] = [];
  while (listeners.length < count) {
    const some = Array.from({ length: Math.min(CONNECT_AT_ONCE, count - listeners.length) }, () =>
      LoadClient.connect(server.port, path),
    );
    listeners.push(...(await Promise.all(some)));
  }
  await delay(SETTLE_MS);
  probe.reset();
  const sums = (): { frames: number; bytes: number } =>
    listeners.reduce(
      (sum, { frames, bytes }) => ({ frames: sum.frames + frames, bytes: sum.bytes + bytes }),
      { frames: 0, bytes: 0 },
    );
  const [before, sumsBefore, startedAt] = [await server.usage(), sums(), performance.now()];
  await delay(SECONDS * 1000);
  const [after, sumsAfter, ms] = [await server.usage(), sums(), performance.now() - startedAt];
  const ages = probe.close();
  for (const { socket } of listeners) socket.destroy();
  await server.stop();
  return {
    core: (after.cpuMs - before.cpuMs) / ms,
    dropped: after.dropped,
    missing: 1 - (sumsAfter.frames - sumsBefore.frames) / (count * (ms / frameMs)),
    bytesPerSecond: ((sumsAfter.bytes - sumsBefore.bytes) / count / ms) * 1000,
    rssMiB: after.rssBytes / 1024 / 1024,
    ages,
  };
}

async function main(): Promise<void> {
  const rows: string[][] = [];
  for (const [count, names] of SIZES.filter(([size]) => size <= LARGEST)) {
    const choices = CHOICES.filter(({ name }) => names.includes(name));
    const runs = new Map<Choice, Run[]>(choices.map((choice) => [choice, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const choice of choices) runs.get(choice)?.push(await run(choice, count));
    }
    const median = (choice: Choice, of: (run: Run) => number): number =>
      quantile((runs.get(choice) ?? []).map(of), 0.5);
    const [first] = choices;
    for (const choice of choices) {
      const core = median(choice, (each) => each.core);
      const ages = (runs.get(choice) ?? []).flatMap((each) => each.ages);
      rows.push([
        String(count),
        choice.name,
        `${(100 * core).toFixed(1)} %`,
        first ? (core / median(first, (each) => each.core)).toFixed(2) : '',
        ((median(choice, (each) => each.bytesPerSecond) * 8) / 1000).toFixed(0),
        median(choice, (each) => each.rssMiB).toFixed(0),
        quantile(ages, 0.5).toFixed(1),
        quantile(ages, 0.99).toFixed(1),
        String(Math.max(...(runs.get(choice) ?? []).map(({ dropped }) => dropped))),
        `${(100 * median(choice, (each) => each.missing)).toFixed(1)} %`,
      ]);
    }
  }
  printTable(
    'One server, by what its listeners choose: 24 kHz mono, test signal, loopback; server and listeners share the machine',
    [
      ...['listeners', 'choice', 'CPU, of one core', '÷ the first row of so many', 'kbit/s a listener'],
      ...['RSS, MiB', 'age p50, ms', 'age p99, ms', 'dropped', 'late or missing'],
    ],
    rows,
  );
}

void main();
