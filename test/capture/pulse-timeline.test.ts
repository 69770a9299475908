import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PcmFrame } from '../../src/audio/frame';
import type { CaptureFormat } from '../../src/capture/pulse/record-stream';
import { CaptureTimeline } from '../../src/capture/pulse/timeline';
import { FakeClock } from '../nodes/fake-clock';

const RATE = 48_000;
const MONO: CaptureFormat = { encoding: 's16le', sampleRate: RATE, channels: 1 };
const ms = (milliseconds: number): number => (milliseconds * RATE) / 1000;

/** A sound server whose every sample says when it was recorded, by its number; and what became of them. */
class Rig {
  readonly clock = new FakeClock();
  readonly timeline = new CaptureTimeline(this.clock);
  readonly frames: PcmFrame[] = [];
  private recorded = 0;

  constructor(format = MONO) {
    this.timeline.begin(format);
  }

  /** Samples that were recorded and will never be delivered. */
  lose(samples: number): void {
    this.recorded += samples;
  }

  /** Delivers the next samples, as one read. */
  deliver(samples: number): PcmFrame | undefined {
    const data = Buffer.alloc(samples * 2);
    for (let i = 0; i < samples; i++) data.writeUInt16LE((this.recorded + i) % 65536, i * 2);
    this.recorded += samples;
    return this.keep(this.timeline.place(data));
  }

  /** Time passes, and each 10 ms are delivered at their end. */
  flow(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      this.clock.advance(10);
      this.deliver(ms(10));
    }
  }

  /** Time passes, and silence is asked for every 20 ms. */
  silence(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += 20) {
      this.clock.advance(20);
      this.keep(this.timeline.fill());
    }
  }

  private keep(frame: PcmFrame | undefined): PcmFrame | undefined {
    if (frame) this.frames.push(frame);
    return frame;
  }

  get last(): PcmFrame {
    const frame = this.frames.at(-1);
    assert.ok(frame);
    return frame;
  }

  /** Positions go on without a hole but for gaps. */
  assertUnbroken(): void {
    let next = 0;
    for (const frame of this.frames) {
      assert.equal(frame.position, next + frame.gap);
      assert.ok(frame.gap >= 0 && frame.samples > 0);
      assert.equal(frame.data.length, frame.samples * 2);
      next = frame.position + frame.samples;
    }
  }

  /** The newest frame's first sample is the one that was recorded as number `position`. */
  assertExact(): void {
    assert.equal(this.last.data.readUInt16LE(0), this.last.position % 65536);
  }
}

describe('captured sound on the sample clock', () => {
  it('starts at 0, is contiguous, and is timed by its arrival', () => {
    const rig = new Rig();
    rig.flow(1000);
    rig.assertUnbroken();
    assert.equal(rig.frames.length, 100);
    assert.equal(rig.frames[0]?.position, 0);
    assert.equal(rig.last.time, rig.clock.now() + rig.clock.epoch - 10);
  });

  it('loses nothing, and moves nothing, when chunks are ragged by less than 100 ms', () => {
    const raggedness = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 9 })), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(raggedness, (chunks) => {
        const rig = new Rig();
        rig.flow(100);
        let late = 0;
        for (const [length, delay] of chunks) {
          rig.clock.advance(length + delay - late);
          late = delay;
          rig.deliver(ms(length));
          rig.assertExact();
        }
        rig.assertUnbroken();
        assert.ok(rig.frames.every((frame) => frame.gap === 0));
      }),
    );
  });

  it('drops what piled up before the first sound, and starts at 0 with what is fresh', () => {
    const rig = new Rig();
    rig.deliver(ms(2000));
    assert.equal(rig.last.position, 0);
    assert.equal(rig.last.gap, 0);
    assert.equal(rig.last.samples, ms(20));
    rig.flow(100);
    rig.assertUnbroken();
  });

  it('after a stall of our own plays nothing late, and counts each sample of it once', () => {
    const rig = new Rig();
    rig.flow(500);
    rig.clock.advance(2000);
    const before = rig.frames.length;
    for (let left = 2000; left > 0; left -= 340) rig.deliver(ms(Math.min(left, 340)));
    rig.flow(100);
    rig.assertUnbroken();
    rig.assertExact();
    const after = rig.frames.slice(before);
    const [first] = after;
    assert.ok(first);
    assert.ok(first.samples <= ms(20), `${first.samples} samples of the backlog were kept`);
    assert.equal(
      after.reduce((sum, frame) => sum + frame.samples + frame.gap, 0),
      ms(2100),
    );
    assert.equal(rig.last.time, rig.clock.now() + rig.clock.epoch - 10);
  });

  it('covers a hung server with silence, and takes the sound up again where it is, to the sample', () => {
    const rig = new Rig();
    rig.flow(500);
    rig.clock.advance(1000);
    rig.silence(2000);
    const silent = rig.frames.slice(50);
    assert.ok(silent.every((frame) => frame.data.every((byte) => byte === 0)));
    assert.equal(
      silent.reduce((sum, frame) => sum + frame.samples + frame.gap, 0),
      ms(3000 - 10),
    );
    for (let burst = 0; burst < 300; burst++) rig.deliver(ms(10));
    rig.flow(100);
    rig.assertUnbroken();
    rig.assertExact();
  });

  it('finds a hole in the stream: what never comes is a gap', () => {
    const rig = new Rig();
    rig.flow(500);
    rig.clock.advance(1000);
    rig.lose(ms(1000));
    rig.flow(500);
    rig.assertUnbroken();
    rig.assertExact();
    const holes = rig.frames.filter((frame) => frame.gap > 0);
    assert.equal(holes.length, 1);
    assert.ok(
      (holes[0]?.gap ?? 0) <= ms(1000 + 120),
      'no more is lost than it takes to tell a hole from a backlog',
    );
  });

  it('finds a small hole by its sound staying late', () => {
    const rig = new Rig();
    rig.flow(3000);
    rig.clock.advance(50);
    rig.lose(ms(50));
    rig.flow(4100);
    rig.assertUnbroken();
    const lost = rig.frames.reduce((sum, frame) => sum + frame.gap, 0);
    assert.ok(Math.abs(lost - ms(50)) < ms(2), `${lost} samples`);
  });

  it('goes on by real time after a suspension, which counts no samples', () => {
    const rig = new Rig();
    rig.flow(500);
    rig.timeline.jump();
    rig.silence(600);
    rig.clock.advance(10);
    rig.lose(ms(600));
    rig.timeline.jump();
    rig.deliver(ms(10));
    rig.assertUnbroken();
    rig.assertExact();
  });

  it('does not repeat what silence has covered', () => {
    const rig = new Rig();
    rig.flow(500);
    rig.timeline.jump();
    rig.silence(200);
    rig.clock.advance(5);
    const first = rig.deliver(ms(30));
    assert.equal(first?.samples, ms(15));
    rig.assertUnbroken();
  });

  it('converts the position when the format changes, and keeps the time', () => {
    const rig = new Rig();
    rig.flow(1000);
    rig.timeline.begin({ ...MONO, sampleRate: 24_000 });
    rig.clock.advance(1000);
    const frame = rig.timeline.place(Buffer.alloc(240 * 2));
    assert.ok(frame);
    assert.equal(frame.format.sampleRate, 24_000);
    assert.equal(frame.position, 24_000 * 2 - 240);
    assert.equal(frame.gap, 24_000 - 240);
    assert.equal(frame.time, rig.clock.now() + rig.clock.epoch - 10);
  });

  it('has no silence to give before the first sound', () => {
    const rig = new Rig();
    rig.clock.advance(1000);
    assert.equal(rig.timeline.fill(), undefined);
  });
});
