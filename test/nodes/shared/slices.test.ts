/** Input of a few bytes that is much work: the harness lets others work between two slices of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../../src/audio/errors';
import type { Encoding } from '../../../src/audio/format';
import type { AudioFrame } from '../../../src/audio/frame';
import { toOutput, type Transform } from '../../../src/audio/transform';
import { sliceOf } from '../../../src/containers/slices';
import { framing, harness, places, sound } from './harness';

const MONO = { encoding: 's16le', sampleRate: 24000, channels: 1 } as const;

/** Takes 15 ms of the clock for each of `slices` slices, which give 10 ms of sound each. */
function slow(slices: number, failAt = Infinity) {
  let closed = 0;
  const rig = harness({
    create: () => {
      const inner = framing(MONO);
      const sliced: Transform<Encoding, AudioFrame> = {
        push: () => assert.fail('push was called though there are slices'),
        *pushInSlices(frame) {
          for (let i = 0; i < slices; i++) {
            if (i === failAt) throw new OrgoError('ORGO_BAD_INPUT', 'damaged');
            rig.clock.advance(15);
            yield [{ ...frame, position: i * 240, samples: 240 }];
          }
        },
        flush: () => inner.flush(),
        close: () => {
          closed++;
        },
      };
      return toOutput(sliced);
    },
  });
  return { ...rig, closed: () => closed };
}

void describe('a message that is worked off in slices', () => {
  void test('takes one turn for each that takes long', async () => {
    const { node, turn, settle } = slow(5);
    const done = node.receive(sound(240));
    assert.equal(node.output(0).length, 1, 'one slice at once');
    turn();
    assert.equal(node.output(0).length, 2);
    assert.ok(settle() >= 3);
    assert.equal(await done, undefined);
    assert.deepEqual(
      places(node.output(0)),
      [0, 240, 480, 720, 960].map((position) => [240, position, 0]),
    );
  });

  void test('keeps what came before a failure, and reports it', async () => {
    const { node, settle } = slow(5, 2);
    const done = node.receive(sound(240));
    settle();
    assert.equal((await done)?.message, 'damaged');
    assert.equal(node.output(0).length, 2);
  });

  void test('ends where its stream is closed in between', () => {
    const { node, turn, settle, closed } = slow(5);
    void node.receive(sound(240));
    turn();
    void node.close();
    const sent = node.output(0).length;
    settle();
    assert.equal(node.output(0).length, sent);
    assert.equal(closed(), 1);
  });
});

void test('a slice holds a sample at least, however slow the sound is', () => {
  const data = Buffer.alloc(6);
  const format = { ...MONO, sampleRate: 1 };
  const frame = { format, data, samples: 3, position: 0, time: 0, gap: 0, latencyMs: 0 };
  const { slice, next } = sliceOf(frame, 0, 20);
  assert.deepEqual([slice.samples, next], [1, 1]);
});
