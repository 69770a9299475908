/**
 * What sixteen streams through one `orgo-audio-transcribe` cost, and what the node adds to a service's own time: from the
 * service's answer to the message, and from the arrival of sound to its sending. The service is a process of its own, on
 * this machine. `npm run bench -- transcribe --seconds 20`
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Message, Red } from '../nodes/shared/red';
import { FakeRed } from '../test/nodes/fake-red';
import { epochNow } from './lib/epoch-now';
import { argument, printTable, quantile } from './lib/table';

const STREAMS = 16;
const RATE = 24_000;
const FRAME_MS = 20;
const SAMPLES = (RATE * FRAME_MS) / 1000;
const SERVICE_RATE = 16_000;
const WARM_UP_MS = 3000;
/** By which the service tells streams apart. */
const LEVEL = 500;

const register = createRequire(__filename)('../nodes/orgo-audio-transcribe/orgo-audio-transcribe') as (
  RED: Red,
) => void;

async function main(seconds: number): Promise<void> {
  const peer = fork(join(__dirname, 'lib', 'transcribe-peer.ts'), { execArgv: ['--import', 'tsx'] });
  const [{ port }] = (await once(peer, 'message')) as [{ port: number }];
  const RED = new FakeRed();
  register(RED);
  const url = `ws://127.0.0.1:${port}/v1/listen`;
  const overheads: number[] = [];
  const node = RED.create('orgo-audio-transcribe', { service: 'deepgram', url }, { apiKey: 'k' });
  const cameAt = Array.from({ length: STREAMS }, (): number[] => []);
  let isWarm = false;
  node.on('sent', (out: Message) => {
    node.sent.length = 0;
    if (isWarm && typeof out.payload === 'string' && out.payload !== '')
      overheads.push(epochNow() - Number(out.payload));
  });
  const payloads = cameAt.map((_, i) => Buffer.from(new Int16Array(SAMPLES).fill(i * LEVEL).buffer));
  const start = performance.now();
  let cpu = process.cpuUsage();
  let warmAt = 0;
  for (let frame = 0; ; frame++) {
    const due = start + frame * FRAME_MS;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (!isWarm && performance.now() - start > WARM_UP_MS) {
      isWarm = true;
      warmAt = performance.now();
      cpu = process.cpuUsage();
    }
    if (isWarm && performance.now() - warmAt > seconds * 1000) break;
    for (const [i, payload] of payloads.entries()) {
      cameAt[i]?.push(epochNow());
      const audio = {
        ...{ encoding: 's16le', sampleRate: RATE, channels: 1, stream: String(i) },
        ...{ position: frame * SAMPLES, time: epochNow() },
      };
      void node.receive({ payload, audio });
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const elapsedMs = performance.now() - warmAt;
  peer.send('stop');
  const [{ arrivals }] = (await once(peer, 'message')) as [{ arrivals: [number, number, number][] }];
  await node.close();
  // A piece waits longest for its first sample: that of the piece before ends there.
  const ends = new Map<number, number>();
  const waits = arrivals.flatMap(([stream, samples, at]) => {
    const first = ends.get(stream) ?? 0;
    ends.set(stream, samples);
    const frame = Math.floor((first * RATE) / SERVICE_RATE / SAMPLES);
    const came = cameAt[stream]?.[frame];
    return came === undefined || came < warmAt + performance.timeOrigin ? [] : [at - came];
  });
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  printTable(
    'transcribe',
    ['what', 'p50', 'p99', 'most'],
    [
      ['answer to message', ...[0.5, 0.99, 1].map((share) => ms(quantile(overheads, share)))],
      ['sound to service', ...[0.5, 0.99, 1].map((share) => ms(quantile(waits, share)))],
    ],
  );
  const core = (user + system) / 1000 / elapsedMs;
  console.log(
    `CPU of ${STREAMS} streams: ${(100 * core).toFixed(1)} % of a core, ${overheads.length} answers`,
  );
}

void main(argument('seconds', 20));
