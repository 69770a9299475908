/** Raw samples as numbers, and back. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { floatToS16, levelOf, silence, toDb, toFloat, viewOf } from '../../src/audio/samples';

/** The same bytes at an odd place in memory. */
function misaligned(data: Buffer): Buffer {
  const moved = Buffer.from(new ArrayBuffer(data.length + 1), 1);
  data.copy(moved);
  return moved;
}

function s16(values: readonly number[]): Buffer {
  const data = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => data.writeInt16LE(value, i * 2));
  return data;
}

describe('reading', () => {
  test('s16 full scale is −1; f32 is what it is; wherever the bytes lie', () => {
    const floats = Buffer.alloc(8);
    floats.writeFloatLE(0.25, 0);
    floats.writeFloatLE(-3, 4);
    for (const place of [(data: Buffer) => data, misaligned]) {
      assert.deepEqual(
        [...toFloat(place(s16([0, 16384, -32768, 32767])), 's16le')],
        [0, 0.5, -1, 32767 / 32768],
      );
      assert.deepEqual([...toFloat(place(floats), 'f32le')], [0.25, -3]);
      assert.deepEqual([...viewOf(place(s16([5, -5])), 's16le')], [5, -5]);
    }
  });

  test('stops before a sample that is not whole', () => {
    assert.equal(toFloat(Buffer.alloc(7), 's16le').length, 3);
    assert.equal(toFloat(Buffer.alloc(7), 'f32le').length, 1);
    assert.equal(toFloat(Buffer.alloc(1), 's16le').length, 0);
  });

  test('as floats never shares memory with what is read', () => {
    const data = Buffer.alloc(8);
    toFloat(data, 'f32le').fill(1);
    assert(data.equals(Buffer.alloc(8)));
  });

  test('as floats and back loses nothing of s16', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -32768, max: 32767 })), (values) => {
        assert.deepEqual([...toFloat(s16(values), 's16le')].map(floatToS16), values);
      }),
    );
  });
});

test('a float becomes s16 by rounding to nearest, clipped; what is no number is silence', () => {
  const cases = [
    [0, 0],
    [0.4 / 32768, 0],
    [0.6 / 32768, 1],
    [-0.6 / 32768, -1],
    [1, 32767],
    [-1, -32768],
    [1e9, 32767],
    [-Infinity, -32768],
    [Infinity, 32767],
    [NaN, 0],
  ] as const;
  for (const [value, expected] of cases) assert.equal(floatToS16(value) + 0, expected);
});

test('silence has as many zeros as its format needs', () => {
  const data = silence({ encoding: 'f32le', sampleRate: 24000, channels: 2 }, 10);
  assert(data.equals(Buffer.alloc(80)));
});

test('the level is the peak and the RMS over all channels', () => {
  assert.deepEqual(levelOf(s16([16384, -16384, 16384, -16384]), 's16le'), { peak: 0.5, rms: 0.5 });
  assert.deepEqual(levelOf(s16([-32768, 0, 0, 0]), 's16le'), { peak: 1, rms: 0.5 });
  assert.deepEqual(levelOf(Buffer.alloc(0), 's16le'), { peak: 0, rms: 0 });
  assert.equal(toDb(10), 20);
  assert.equal(toDb(0), -Infinity);
});
