/** A node that only takes sound: what its transforms are told, and that nothing leaves it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IDLE_MS, type FrameOrigin } from '../../../nodes/shared/stream-node';
import { harness, sound, type Harness } from './harness';

interface Taken {
  readonly place: readonly [samples: number, position: number, gap: number];
  readonly origin: FrameOrigin;
}

function rig(sliceMs?: number): Harness & { taken: Taken[]; log: string[] } {
  const taken: Taken[] = [];
  const log: string[] = [];
  const parts = harness({
    outputs: [],
    sliceMs,
    create({ stream }) {
      log.push(`open ${stream}`);
      return {
        push({ samples, position, gap }, origin) {
          taken.push({ place: [samples, position, gap], origin });
          return [];
        },
        flush: () => (log.push(`flush ${stream}`), []),
        close: () => void log.push(`close ${stream}`),
      };
    },
    onEnd: (stream) => void log.push(`end ${stream}`),
  });
  return { ...parts, taken, log };
}

describe('a node that only takes sound', () => {
  test('sends nothing, and is told when each stream is over: by `complete`, after idle time, as the node closes', async () => {
    const { node, clock, log } = rig();
    for (const stream of ['a', 'b', 'c']) await node.receive(sound(480, 0, { stream }));
    await node.receive(sound(240, 480, { stream: 'a' }, { complete: true }));
    assert.deepEqual(log, ['open a', 'open b', 'open c', 'flush a', 'close a', 'end a']);
    clock.advance(IDLE_MS - 1000);
    await node.receive(sound(480, 480, { stream: 'c' }));
    clock.advance(1000);
    assert.deepEqual(log.splice(0).slice(6), ['flush b', 'close b', 'end b']);
    await node.close();
    assert.deepEqual(log, ['flush c', 'close c', 'end c']);
    assert.deepEqual([node.sent, node.warnings, node.errors], [[], [], []]);
  });

  test('does not take a border or a reset for the end', async () => {
    const { node, log } = rig();
    await node.receive(sound(480));
    await node.receive(sound(480, 0, { sampleRate: 48_000 }));
    await node.receive({ reset: true });
    const run = ['open s', 'flush s', 'close s'];
    assert.deepEqual(log, [...run, ...run]);
  });

  test('knows what is live: a second at most, with its time; of a long message each slice says the same', async () => {
    const { node, taken, settle } = rig(400);
    for (const [samples, audio, isLive, timed] of [
      [24_000, {}, true, true],
      [24_001, {}, false, true],
      [480, { time: undefined }, false, false],
    ] as const) {
      taken.length = 0;
      const done = node.receive(sound(samples, 0, audio));
      settle();
      await done;
      assert.equal(
        taken.reduce((sum, { place }) => sum + place[0], 0),
        samples,
      );
      assert.deepEqual([...new Set(taken.map(({ origin }) => origin.isLive))], [isLive]);
      assert.deepEqual([...new Set(taken.map(({ origin }) => origin.timed))], [timed]);
    }
  });

  test('gets with each frame what else its message holds, and the samples that were missing before it', async () => {
    const { node, taken } = rig();
    await node.receive(sound(480, 0, {}, { speech: { id: 1 } }));
    await node.receive({ ...sound(0, 720, { gap: 240 }), payload: Buffer.alloc(0) });
    await node.receive(sound(480, 720));
    assert.deepEqual(
      taken.map(({ place }) => place),
      [
        [480, 0, 0],
        [480, 720, 240],
      ],
    );
    const { msg } = taken[0]?.origin ?? {};
    assert.deepEqual([msg?.['speech'], msg?.payload, msg?.topic], [{ id: 1 }, undefined, 'a-computer']);
  });
});
