/** One listener of a hundred stops reading: what that costs the others, and the server's memory. */
import { setTimeout as delay } from 'node:timers/promises';
import { FanOutServer } from './lib/fan-out-client';
import { LoadClient } from './lib/load-clients';
import { argument, printTable, quantile } from './lib/table';

const LISTENERS = 100;
const SECONDS = argument('seconds', 20);

/** How much later than 20 ms after the frame before it a frame arrived, over all listeners, ms. */
function jitter(listeners: readonly LoadClient[]): number[] {
  return listeners.flatMap(({ arrivals }) =>
    arrivals.slice(1).map((time, i) => Math.max(0, time - (arrivals[i] ?? time) - 20)),
  );
}

async function main(): Promise<void> {
  const server = await FanOutServer.start('ours');
  const connect = (): Promise<LoadClient> => LoadClient.connect(server.port, server.path, true);
  const listeners = await Promise.all(Array.from({ length: LISTENERS }, connect));
  const [stalled, ...others] = listeners;
  await delay(3000);
  const rows: string[][] = [];
  for (const phase of ['all read', 'one stopped']) {
    if (phase === 'one stopped') stalled?.socket.pause();
    for (const { arrivals } of others) arrivals.length = 0;
    const before = await server.usage();
    await delay(SECONDS * 1000);
    const after = await server.usage();
    const late = jitter(others);
    rows.push([
      phase,
      String(late.length + others.length),
      quantile(late, 0.5).toFixed(2),
      quantile(late, 0.99).toFixed(2),
      ((after.rssBytes - before.rssBytes) / 1024).toFixed(0),
      String(after.dropped),
    ]);
  }
  for (const { socket } of listeners) socket.destroy();
  await server.stop();
  printTable(
    `Stall: 100 listeners, ${SECONDS} s each`,
    [
      'phase',
      'frames of the other 99',
      'late p50, ms',
      'late p99, ms',
      'memory grew, KB',
      'frames dropped for the one',
    ],
    rows,
  );
}

void main();
