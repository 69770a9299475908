/** CPU of whole chains in a real Node-RED: `--streams 20 --seconds 10`. The server that they hear is not counted. */
import { setTimeout as delay } from 'node:timers/promises';
import { startChainFlow, type Link } from './lib/chain-flow';
import { FanOutServer } from './lib/fan-out-client';
import { argument, printTable } from './lib/table';

const STREAMS = argument('streams', 20);
const SECONDS = argument('seconds', 10);
/** Connecting, and what only the first seconds cost: compiling. */
const WARM_UP_MS = 5000;
const POLL_MS = 100;

const OPUS: Link = { type: 'orgo-audio-opus' };

/** Each behind `orgo-audio-in` at 24 kHz, mono. */
const CHAINS: readonly (readonly [name: string, chain: readonly Link[]])[] = [
  ['audio-in', []],
  ['audio-in → resample 48 kHz mono', [resample(1)]],
  ['audio-in → resample 48 kHz mono → opus', [resample(1), OPUS]],
  ['audio-in → resample 48 kHz stereo → opus', [resample(2), OPUS]],
  // All that is heard goes on, so that the messages count whether it keeps up.
  ['audio-in → vad', [{ type: 'orgo-audio-vad', settings: { gate: 'pass' } }]],
];

function resample(channels: number): Link {
  return { type: 'orgo-audio-resample', settings: { sampleRate: 48_000, channels } };
}

async function measure(port: number, chain: readonly Link[]): Promise<string[]> {
  const flow = await startChainFlow(port, STREAMS, chain);
  while ((await flow.report()).messages < STREAMS) await delay(POLL_MS);
  await delay(WARM_UP_MS);
  const [before, startedAt] = [await flow.report(), performance.now()];
  await delay(SECONDS * 1000);
  const [after, ms] = [await flow.report(), performance.now() - startedAt];
  await flow.stop();
  const core = (after.cpuMs - before.cpuMs) / ms;
  const perSecond = (after.messages - before.messages) / (ms / 1000) / STREAMS;
  return [
    `${((100 * core) / STREAMS).toFixed(2)} %`,
    (STREAMS / core).toFixed(0),
    perSecond.toFixed(1),
    String(after.gapSamples - before.gapSamples),
    (after.rssBytes / 1024 / 1024).toFixed(0),
  ];
}

async function main(): Promise<void> {
  const server = await FanOutServer.start('ours');
  const rows: string[][] = [];
  for (const [name, chain] of CHAINS) rows.push([name, ...(await measure(server.port, chain))]);
  await server.stop();
  const columns = [
    'chain',
    'of one core, a stream',
    'streams a core',
    'messages/s',
    'samples lost',
    'RSS, MiB',
  ];
  printTable(`Whole chains in Node-RED: ${STREAMS} streams of 24 kHz mono, 20 ms frames`, columns, rows);
}

void main();
