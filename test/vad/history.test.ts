import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PcmFormat } from '../../src/audio/format';
import { sliceFrame, type PcmFrame } from '../../src/audio/frame';
import { History } from '../../src/vad/history';

const FORMAT: PcmFormat = { encoding: 's16le', sampleRate: 1000, channels: 2 };
const START = 5000;

/** A ramp, so that every sample tells its place. */
function ramp(samples: number): PcmFrame {
  const data = Buffer.alloc(4 * samples);
  for (let i = 0; i < samples; i++) data.writeInt32LE(START + i, 4 * i);
  return { format: FORMAT, data, samples, position: START, time: 70, gap: 0, latencyMs: 3 };
}

describe('History', () => {
  it('reads back any stretch, however it was cut when it came', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 350 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(cuts, fc.nat(4000), fc.nat(4000), (lengths, a, b) => {
        const total = lengths.reduce((sum, length) => sum + length);
        const whole = ramp(total);
        const history = new History(FORMAT, START);
        let at = 0;
        for (const length of lengths) history.append(sliceFrame(whole, at, (at += length)));
        const [from = 0, to = 0] = [a % (total + 1), b % (total + 1)].sort((x, y) => x - y);
        const read = history.read(START + from, START + to);
        const expected = sliceFrame(whole, from, to);
        assert.deepEqual({ ...read, data: [...read.data] }, { ...expected, data: [...expected.data] });
      }),
    );
  });

  it('keeps what was read as it is while more comes', () => {
    const history = new History(FORMAT, START);
    const whole = ramp(300);
    history.append(sliceFrame(whole, 0, 30));
    const early = history.read(START + 10, START + 30);
    history.append(sliceFrame(whole, 30, 300));
    assert.deepEqual(early.data, whole.data.subarray(40, 120));
  });

  it('forgets what is not needed, and says so when it is asked for', () => {
    const history = new History(FORMAT, START);
    history.append(ramp(1000));
    history.forgetBefore(START + 250);
    assert.equal(history.read(START + 250, START + 1000).samples, 750);
    assert.throws(() => history.read(START + 150, START + 400), RangeError);
    assert.throws(() => history.read(START + 400, START + 1001), RangeError);
  });
});
