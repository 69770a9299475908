/** Frames, their parts, and the framer that cuts them to one length. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { PcmFormat } from '../../src/audio/format';
import { samplesIn, sliceFrame, type PcmFrame } from '../../src/audio/frame';
import { Framer } from '../../src/audio/framer';

const FORMAT: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 2 };

/** Samples that count from `position` on, in both channels. */
function counting(samples: number, position = 0, gap = 0): PcmFrame {
  const data = Buffer.alloc(samples * 4);
  for (let i = 0; i < samples; i++) data.writeInt32LE(position + i, i * 4);
  return { format: FORMAT, data, samples, position, time: 1000 + position / 24, gap, latencyMs: 2 };
}

function places(frames: readonly PcmFrame[]): number[][] {
  return frames.map(({ samples, position, gap }) => [samples, position, gap]);
}

test('a trailing piece of a sample does not count', () => {
  assert.deepEqual(
    [0, 3, 4, 7, 8].map((length) => samplesIn(FORMAT, Buffer.alloc(length))),
    [0, 0, 1, 1, 2],
  );
});

describe('a part of a frame', () => {
  test('knows its place and its time, and shares the memory', () => {
    const frame = counting(480, 960, 7);
    const part = sliceFrame(frame, 240, 480);
    assert.deepEqual(places([part]), [[240, 1200, 0]]);
    assert.equal(part.time, 1050);
    assert.equal(part.latencyMs, 2);
    assert.equal(part.data.readInt32LE(0), 1200);
    assert.equal(part.data.buffer, frame.data.buffer);
  });

  test('has the gap of the frame where it begins where the frame does', () => {
    assert.equal(sliceFrame(counting(480, 960, 7), 0, 1).gap, 7);
  });
});

describe('the framer', () => {
  test('gives frames of one length, contiguous and complete, however the input is cut', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.nat(250), { maxLength: 30 }),
        (length, cuts) => {
          const framer = new Framer(FORMAT, length);
          let position = 0;
          const out = cuts.flatMap((samples) => {
            position += samples;
            return framer.push(counting(samples, position - samples));
          });
          assert(out.every((frame) => frame.samples === length));
          assert.equal(framer.heldMs, ((position - out.length * length) * 1000) / 24000);
          const all = [...out, ...framer.flush()];
          assert.deepEqual(Buffer.concat(all.map((frame) => frame.data)), counting(position).data);
          for (const frame of all) {
            assert.equal(frame.data.readInt32LE(0), frame.position);
            assert(Math.abs(frame.time - (1000 + frame.position / 24)) < 1e-6);
          }
        },
      ),
    );
  });

  test('lets the rest go before a gap, and starts behind it', () => {
    const framer = new Framer(FORMAT, 100);
    const out = [...framer.push(counting(130)), ...framer.push(counting(130, 150, 20)), ...framer.flush()];
    assert.deepEqual(places(out), [
      [100, 0, 0],
      [30, 100, 0],
      [100, 150, 20],
      [30, 250, 0],
    ]);
  });

  test('copies nothing that needs no joining', () => {
    const framer = new Framer(FORMAT, 100);
    const whole = counting(100);
    assert.equal(framer.push(whole)[0], whole);
    const long = counting(250, 100);
    assert(framer.push(long).every((frame) => frame.data.buffer === long.data.buffer));
  });

  test('forgets what it holds when it is closed', () => {
    const framer = new Framer(FORMAT, 100);
    framer.push(counting(50));
    framer.close();
    framer.close();
    assert.deepEqual(framer.flush(), []);
    assert.equal(framer.heldMs, 0);
  });
});
