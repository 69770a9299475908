/** The estimate of when samples were captured: under the jitter of arrivals, along with the sender's clock. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SampleClock } from '../../src/audio/sample-clock';

const RATE = 24000;
const FRAME = 480;
const FRAME_MS = 20;

/** Feeds frames whose arrival `late(i)` ms after their capture; the sender's clock is `drift` faster than ours. */
function feed(
  clock: SampleClock,
  frames: number,
  late: (i: number) => number,
  drift = 0,
  start = 5000,
): number {
  for (let i = 1; i <= frames; i++) clock.observe(i * FRAME, start + i * FRAME_MS * (1 - drift) + late(i));
  return start;
}

describe('the sample clock', () => {
  test('tells when the samples were captured, whatever the jitter, once one came promptly', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 50, maxLength: 99 }), (jitter) => {
        const clock = new SampleClock(RATE);
        const start = feed(clock, jitter.length, (i) => (i === 5 ? 0 : jitter[i - 1]!));
        assert(Math.abs(clock.timeOf(0) - start) < 0.5);
      }),
    );
  });

  test('moves with the samples from one frame to the next, not with the arrivals', () => {
    const clock = new SampleClock(RATE);
    feed(clock, 200, (i) => (i * 7919) % 60);
    for (let i = 201; i < 1000; i++) {
      const before = clock.timeOf(i * FRAME);
      clock.observe(i * FRAME, 5000 + i * FRAME_MS + ((i * 7919) % 60));
      assert(Math.abs(clock.timeOf(i * FRAME) - before) < 0.3);
    }
  });

  test("follows a sender's crystal that is 100 ppm off, either way", () => {
    for (const drift of [100e-6, -100e-6]) {
      const clock = new SampleClock(RATE);
      const frames = 30_000;
      const start = feed(clock, frames, (i) => (i % 7 === 0 ? 0 : 15), drift);
      const captured = start + frames * FRAME_MS * (1 - drift);
      assert(Math.abs(clock.timeOf(frames * FRAME) - captured) < 2, `${drift}`);
    }
  });

  test('says how late an arrival is', () => {
    const clock = new SampleClock(RATE);
    assert.equal(clock.lateness(FRAME, 123), 0);
    feed(clock, 10, () => 0);
    assert(Math.abs(clock.lateness(11 * FRAME, 5000 + 11 * FRAME_MS + 42) - 42) < 1e-9);
  });

  test('starts over after a reset', () => {
    const clock = new SampleClock(RATE);
    feed(clock, 10, () => 0);
    assert(clock.running);
    clock.reset();
    assert(!clock.running);
    clock.observe(0, 99);
    assert.equal(clock.timeOf(0), 99);
  });
});
