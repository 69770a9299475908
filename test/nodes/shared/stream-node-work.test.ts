/** Long messages, and processors that fail. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../../src/audio/errors';
import { IDLE_MS, MAX_WAITING_BYTES, type NodeTransform } from '../../../nodes/shared/stream-node';
import { toOutput } from '../../../src/audio/transform';
import { audioOf, counting, framing, harness, payloads, sound } from './harness';

const mono = { encoding: 's16le', sampleRate: 24000, channels: 1 } as const;

describe('a processor that fails', () => {
  const failing = (error: Error): { processor: NodeTransform; closed: () => number } => {
    let closed = 0;
    return {
      processor: {
        push: () => {
          throw error;
        },
        flush: () => [],
        close: () => {
          closed++;
        },
      },
      closed: () => closed,
    };
  };

  test('by its input keeps its state', async () => {
    const { processor, closed } = failing(new OrgoError('ORGO_BAD_INPUT', 'no packet'));
    const { node } = harness({ create: () => processor });
    assert.equal((await node.receive(sound(240)))?.message, 'no packet');
    assert.equal(closed(), 0);
  });

  test('by a defect is made anew', async () => {
    const { processor, closed } = failing(new TypeError('a defect'));
    const { node } = harness({ create: () => processor });
    assert.equal((await node.receive(sound(240)))?.message, 'a defect');
    assert.equal(closed(), 1);
  });

  test('at the end does not keep the end from being told', async () => {
    const { node, clock } = harness({
      create: ({ format }) => ({
        ...toOutput(framing(format)),
        flush: () => {
          throw new Error('a defect');
        },
      }),
    });
    await node.receive(sound(240));
    const error = await node.receive({ ...sound(0, 240), complete: true });
    assert.equal(error?.message, 'a defect');
    assert.equal(node.output(0).at(-1)!['complete'], true);
    await node.receive(sound(240));
    clock.advance(IDLE_MS);
    assert.match(node.errors[0]!, /a defect/);
    assert.equal(node.output(0).at(-1)!['complete'], true);
  });
});

describe('a very long message', () => {
  /** Takes `ms` of the clock for every push. */
  function slow(ms: number) {
    const rig = harness({
      create: ({ format }) => {
        const processor = toOutput(framing(format));
        return {
          push: (frame) => {
            rig.clock.advance(ms);
            return processor.push(frame);
          },
          flush: () => processor.flush(),
          close: () => processor.close(),
        };
      },
    });
    return rig;
  }

  test('is worked off in turns of 20 ms at most, in order, and done when all of it is', async () => {
    const { node, settle } = slow(6);
    const done = node.receive(sound(24000 * 20));
    assert(payloads(node.output(0)).length <= 3 * 48000);
    const turns = settle();
    assert(turns >= 9, `${turns} turns`);
    assert.equal(await done, undefined);
    assert.deepEqual(payloads(node.output(0)), counting(24000 * 20));
  });

  test('lets other streams pass, but not its own successors', async () => {
    const { node, turn, settle } = slow(6);
    const long = node.receive(sound(24000 * 20));
    const next = node.receive(sound(240, 24000 * 20));
    const other = node.receive(sound(240, 7, { stream: 'other' }));
    const end = node.receive({ ...sound(0, 24000 * 20 + 240), complete: true });
    turn();
    turn();
    assert.equal(await other, undefined);
    assert(node.output(0).some((msg) => audioOf(msg).stream === 'other'));
    assert(!node.output(0).some((msg) => msg['complete']));
    settle();
    await Promise.all([long, next, end]);
    const own = node.output(0).filter((msg) => audioOf(msg).stream === 's');
    assert.deepEqual(payloads(own), counting(24000 * 20 + 240));
    assert.equal(own.at(-1)!['complete'], true);
  });

  test('many in one turn of the event loop share its time', async () => {
    const { node, settle } = slow(6);
    const all = Array.from({ length: 10 }, (_, i) => node.receive(sound(240, 0, { stream: `${i}` })));
    assert.equal(node.output(0).length, 1);
    assert(settle() >= 4);
    await Promise.all(all);
    assert.equal(node.output(0).length, 10);
  });

  test('that fails on the way is answered with the error, once', async () => {
    let pushes = 0;
    const { node, clock, settle } = harness({
      create: ({ format }) => ({
        ...toOutput(framing(format)),
        push: () => {
          clock.advance(6);
          if (++pushes === 5) throw new OrgoError('ORGO_BAD_INPUT', 'slice 5');
          return [];
        },
      }),
    });
    const done = node.receive(sound(24000 * 20));
    settle();
    assert.equal((await done)?.message, 'slice 5');
    assert.equal(pushes, 5);
  });

  test('is dropped when the node closes: done all the same, and told', async () => {
    const { node, settle } = slow(6);
    const waiting = [node.receive(sound(24000 * 20)), node.receive(sound(240, 24000 * 20))];
    await node.close();
    assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
    assert.match(node.warnings[0]!, /2 messages/);
    const sent = node.sent.length;
    settle();
    assert.equal(node.sent.length, sent);
    assert.equal(node.output(0).at(-1)!['complete'], true);
  });

  test('of more than 256 MB is refused, and so is what would make more wait', async () => {
    const { node, settle } = slow(6);
    const huge = Buffer.alloc(MAX_WAITING_BYTES + 2);
    assert.match((await node.receive({ payload: huge }))!.message, /256 MB/);
    const rate = { ...mono, sampleRate: 192_000, stream: 'a' };
    const half = node.receive({ payload: huge.subarray(0, MAX_WAITING_BYTES / 2), audio: rate });
    const error = await node.receive({ payload: huge.subarray(0, MAX_WAITING_BYTES / 2 + 2), audio: rate });
    assert.match(error!.message, /128 MB wait already/);
    await node.close();
    settle();
    assert.equal(await half, undefined);
  });
});
