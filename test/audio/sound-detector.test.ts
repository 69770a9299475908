import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PcmFormat } from '../../src/audio/format';
import type { PcmFrame } from '../../src/audio/frame';
import { SoundDetector, type SoundChange } from '../../src/audio/sound-detector';

const MONO: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };
const EPOCH = 1_700_000_000_000;

/** A stream that tells each frame's place; `values` are those of the first channel, the others are silent. */
class Stream {
  position = 0;
  readonly changes: SoundChange[] = [];
  readonly detector = new SoundDetector();

  constructor(private format = MONO) {}

  push(values: readonly number[], gap = 0): void {
    const { encoding, channels, sampleRate } = this.format;
    const size = encoding === 's16le' ? 2 : 4;
    const data = Buffer.alloc(values.length * channels * size);
    values.forEach((value, i) => {
      if (size === 2) data.writeInt16LE(value, i * channels * size);
      else data.writeFloatLE(value, i * channels * size);
    });
    this.position += gap;
    const frame: PcmFrame = {
      ...{ format: this.format, data, samples: values.length, gap, latencyMs: 0 },
      position: this.position,
      time: EPOCH + (this.position * 1000) / sampleRate,
    };
    this.position += values.length;
    const change = this.detector.push(frame);
    if (change) this.changes.push(change);
  }

  silence(samples: number): void {
    this.push(Array<number>(samples).fill(0));
  }

  /** Goes on in another format, as a feed does. */
  switchTo(format: PcmFormat): void {
    this.position = Math.round((this.position * format.sampleRate) / this.format.sampleRate);
    this.format = format;
  }

  get places(): [boolean, number][] {
    return this.changes.map(({ sound, position }) => [sound, position]);
  }
}

describe('SoundDetector', () => {
  it('tells the first sample of sound, and the first of the silence that lasts a second behind it', () => {
    const stream = new Stream();
    stream.silence(100);
    stream.push([0, 0, 5, 0, -5, 0, 0]);
    stream.silence(23_997);
    assert.deepEqual(stream.places, [[true, 102]], 'a sample less than a second');
    stream.silence(1);
    assert.deepEqual(stream.changes, [
      { sound: true, format: MONO, position: 102, time: EPOCH + (102 * 1000) / 24000 },
      { sound: false, format: MONO, position: 105, time: EPOCH + (105 * 1000) / 24000 },
    ]);
    assert.equal(stream.detector.sound, false);
  });

  it('holds through pauses of less than a second', () => {
    const stream = new Stream();
    for (let i = 0; i < 10; i++) {
      stream.push([1000]);
      stream.silence(23_000);
    }
    assert.deepEqual(stream.places, [[true, 0]]);
  });

  it('takes the dither of 16 bits, and what is no number, for silence', () => {
    const stream = new Stream();
    stream.push([1, -1, 2, -2, 3, -3]);
    assert.deepEqual(stream.places, []);
    stream.push([0, -4]);
    assert.deepEqual(stream.places, [[true, 7]]);

    const floats = new Stream({ ...MONO, encoding: 'f32le' });
    floats.push([0.00009, -0.00009, NaN]);
    assert.deepEqual(floats.places, []);
    floats.push([0, -0.0002]);
    assert.deepEqual(floats.places, [[true, 4]]);
  });

  it('hears every channel, and counts samples per channel', () => {
    const detector = new SoundDetector();
    const data = Buffer.alloc(40);
    data.writeInt16LE(-32768, 7 * 4 + 2);
    const format: PcmFormat = { ...MONO, channels: 2 };
    const frame = { format, data, samples: 10, position: 0, time: 0, gap: 0, latencyMs: 0 };
    assert.equal(detector.push(frame)?.position, 7);
  });

  it('counts what is missing as silence', () => {
    const stream = new Stream();
    stream.push([1000]);
    stream.push([0], 24_000);
    assert.deepEqual(stream.places, [
      [true, 0],
      [false, 1],
    ]);
  });

  it('stays true to the sample where the rate changes', () => {
    const stream = new Stream();
    stream.silence(24_000);
    stream.push([1000]);
    stream.silence(239);
    stream.switchTo({ ...MONO, sampleRate: 48000 });
    stream.silence(47_000);
    assert.equal(stream.detector.sound, true);
    stream.silence(1000);
    const { position, format, time } = stream.changes[1]!;
    assert.deepEqual([position, format.sampleRate], [48_002, 48000]);
    assert.equal(time, EPOCH + (24_001 * 1000) / 24000);
  });

  it('tells of the end of sound where the stream ends, once, and only where there was some', () => {
    const stream = new Stream();
    assert.equal(stream.detector.finish(), undefined);
    stream.silence(10);
    assert.equal(stream.detector.finish(), undefined);
    stream.push([1000, 0, 0]);
    assert.equal(stream.detector.finish()?.position, 11);
    assert.equal(stream.detector.finish(), undefined);
  });

  it('tells the same places however the stream is cut', () => {
    const loud = [300, 301, 20_000, 60_000, 60_001];
    const total = 100_000;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2400 }), { minLength: 1 }), (cuts) => {
        const stream = new Stream();
        for (let i = 0; stream.position < total; i++) {
          const length = Math.min(cuts[i % cuts.length]!, total - stream.position);
          const from = stream.position;
          stream.push(Array.from({ length }, (_, n) => (loud.includes(from + n) ? 9 : 0)));
        }
        assert.deepEqual(stream.places, [
          [true, 300],
          [false, 20_001],
          [true, 60_000],
          [false, 60_002],
        ]);
      }),
      { numRuns: 15 },
    );
  });
});
