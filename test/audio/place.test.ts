import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fillGap, silenceBefore } from '../../src/audio/gaps';
import { atRate, endOf, moved, msBetween, startOf, timeAt } from '../../src/audio/place';
import type { PcmFrame } from '../../src/audio/frame';

const FRAME: PcmFrame = {
  format: { encoding: 's16le', sampleRate: 24000, channels: 2 },
  ...{ data: Buffer.alloc(4 * 240, 1), samples: 240, position: 4800, time: 1000, gap: 480, latencyMs: 3 },
};

test('the end of a frame is where the next one starts', () => {
  assert.deepEqual(startOf(FRAME), { position: 4800, time: 1000, sampleRate: 24000 });
  assert.deepEqual(endOf(FRAME), { position: 5040, time: 1010, sampleRate: 24000 });
  assert.deepEqual(moved(endOf(FRAME), -240), startOf(FRAME));
});

test('a time is told from any other place of the stream', () => {
  assert.equal(timeAt(startOf(FRAME), 4800 + 2400), 1100);
  assert.equal(timeAt(startOf(FRAME), 0), 800);
});

test('at another rate, a place keeps its time to within half a sample', () => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.constantFrom(8000, 11025, 44100, 48000, 192_000), (position, sampleRate) => {
      const place = { position, time: 5, sampleRate: 24000 };
      const other = atRate(place, sampleRate);
      assert.ok(Math.abs(other.time - 5) <= 500 / sampleRate + 1e-6);
      assert.ok(Math.abs(msBetween(place, other)) <= 500 / sampleRate + 1e-6);
    }),
  );
});

test('a gap is filled from its beginning on, up to the limit; the rest stays a gap', () => {
  const whole = fillGap(FRAME, 1000);
  assert.deepEqual([whole.filler?.position, whole.filler?.samples, whole.filler?.gap], [4320, 480, 0]);
  assert.deepEqual([whole.filler?.time, whole.sound.gap, whole.sound.data], [980, 0, FRAME.data]);
  assert.ok(whole.filler?.data.length === 4 * 480 && whole.filler.data.every((byte) => byte === 0));
  const part = fillGap(FRAME, 100);
  assert.deepEqual([part.filler?.position, part.filler?.samples, part.sound.gap], [4320, 100, 380]);
  assert.deepEqual(fillGap(FRAME, 0), { filler: undefined, sound: FRAME });
  assert.deepEqual(fillGap({ ...FRAME, gap: 0 }, 1000).filler, undefined);
});

test('silence may also end just where the sound begins', () => {
  const { position, time, samples, gap } = silenceBefore(FRAME, 24);
  assert.deepEqual([position, time, samples, gap], [4776, 999, 24, 0]);
});
