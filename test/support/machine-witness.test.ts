/** The witness of the machine sees when this process stands still; what the process itself worked is no stall. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { startMachineWitness } from './machine-witness';
import type { Stall } from './stall-witness';

const STOOD_STILL_MS = 60;
const EVENT_LOOP = 'the event loop stood still';

/** What the witness saw while `block` held the event loop, and how long that was. */
async function seen(block: () => void): Promise<{ stalls: Stall[]; fromMs: number; toMs: number }> {
  const witness = startMachineWitness();
  await setImmediate();
  const fromMs = performance.timeOrigin + performance.now();
  block();
  const toMs = performance.timeOrigin + performance.now();
  const stalls = await witness.stop();
  return { stalls: stalls.filter(({ what }) => what === EVENT_LOOP), fromMs, toMs };
}

test('a process that stands still is seen, when and as long', async () => {
  const { stalls, fromMs, toMs } = await seen(() =>
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STOOD_STILL_MS),
  );
  const stall = stalls.find((each) => each.fromMs <= fromMs && each.toMs >= toMs);
  assert.ok(stall, JSON.stringify(stalls));
  assert.ok(stall.lostMs >= STOOD_STILL_MS - 20, `${stall.lostMs} ms`);
});

test('a process that works is not said to stand still for that time', async () => {
  const worksMs = 100;
  let used = 0;
  const { stalls, ...block } = await seen(() => {
    const before = process.cpuUsage();
    while (used < worksMs * 1000) {
      const { user, system } = process.cpuUsage(before);
      used = user + system;
    }
  });
  // The machine may have taken more from it on the way; what it worked itself is taken off.
  const stall = stalls.find(({ fromMs, toMs }) => fromMs <= block.fromMs && toMs >= block.toMs);
  if (stall) assert.ok(stall.lostMs <= stall.toMs - stall.fromMs - worksMs, JSON.stringify(stall));
});
