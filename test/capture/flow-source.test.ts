import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PcmFormat } from '../../src/audio/format';
import type { PcmFrame } from '../../src/audio/frame';
import { FlowSource } from '../../src/capture/flow-source';
import type { SourceState } from '../../src/capture/source';
import { FakeClock } from '../nodes/fake-clock';
import { ramp, WIRE_DEFAULT } from '../support/manual-source';

const RATE = WIRE_DEFAULT.sampleRate;
const CAPTURED = 1_600_000_000_000;

class Scene {
  readonly clock = new FakeClock();
  readonly feed = new FlowSource(this.clock);
  readonly frames: PcmFrame[] = [];
  readonly states: SourceState[] = [];

  constructor() {
    this.start();
  }

  start(): void {
    this.feed.start({
      onFrame: (frame) => this.frames.push(frame),
      onState: (state) => this.states.push(state),
    });
  }

  /** `samples` of the ramp from `from` on, as a message that tells its time. */
  live(from: number, samples: number, gap = 0, format: PcmFormat = WIRE_DEFAULT): boolean {
    const time = CAPTURED + (from * 1000) / format.sampleRate;
    return this.feed.push(frameOf(format, from, samples, time, gap), true);
  }

  recording(from: number, samples: number, format: PcmFormat = WIRE_DEFAULT): boolean {
    return this.feed.push(frameOf(format, from, samples, 0, 0), false);
  }

  get pcm(): Buffer {
    return Buffer.concat(this.frames.map(({ data }) => data));
  }

  get sentMs(): number {
    return (this.pcm.length / 2 / RATE) * 1000;
  }
}

function frameOf(format: PcmFormat, from: number, samples: number, time: number, gap: number): PcmFrame {
  return { format, data: ramp(format, from, samples), samples, position: 77, time, gap, latencyMs: 3 };
}

describe('FlowSource: live sound', () => {
  it('runs from the start', () => {
    assert.deepEqual(new Scene().states, [{ kind: 'running', device: 'input', muted: false }]);
  });

  it('goes out in its turn, on one clock, with the time of its capture', () => {
    const scene = new Scene();
    for (let i = 0; i < 50; i++) scene.live(i * 480, 480);
    assert.equal(scene.frames.length, 50);
    scene.frames.forEach((frame, i) => {
      assert.equal(frame.position, i * 480);
      assert.equal(frame.time, CAPTURED + i * 20);
      assert.equal(frame.latencyMs, 3);
    });
    assert.deepEqual(scene.pcm, ramp(WIRE_DEFAULT, 0, 50 * 480));
    assert.equal(scene.clock.pending, 0);
  });

  it('keeps a gap, and counts it', () => {
    const scene = new Scene();
    scene.live(0, 480);
    scene.live(1480, 480, 1000);
    assert.deepEqual(
      scene.frames.map(({ position, gap }) => [position, gap]),
      [
        [0, 0],
        [1480, 1000],
      ],
    );
  });

  it('goes on at the same place in time where the rate changes', () => {
    const scene = new Scene();
    scene.live(0, 24_000);
    scene.live(0, 960, 48, { ...WIRE_DEFAULT, sampleRate: 48000 });
    scene.live(0, 80, 0, { ...WIRE_DEFAULT, sampleRate: 8000 });
    assert.deepEqual(
      scene.frames.map(({ position, gap }) => [position, gap]),
      [
        [0, 0],
        [48_048, 48],
        [8168, 0],
      ],
    );
  });
});

describe('FlowSource: recordings', () => {
  it('are played in real time, a little ahead, without a sample lost', () => {
    const scene = new Scene();
    assert.equal(scene.recording(0, 10 * RATE), true);
    assert.equal(scene.sentMs, 100, 'what a player may hold');
    for (let passed = 0; passed < 9800; passed += 20) {
      scene.clock.advance(20);
      const ahead = scene.sentMs - (passed + 20);
      assert.ok(ahead > 79 && ahead <= 122, `${ahead} ms ahead`);
    }
    scene.clock.advance(300);
    assert.deepEqual(scene.pcm, ramp(WIRE_DEFAULT, 0, 10 * RATE));
    assert.equal(scene.clock.pending, 0);
    scene.frames.forEach((frame, i) => {
      assert.ok(frame.samples <= 480);
      assert.equal(frame.position, i * 480);
    });
  });

  it('are timed evenly, and never in the future', () => {
    const scene = new Scene();
    const now = (): number => scene.clock.now() + scene.clock.epoch;
    const start = now();
    scene.recording(0, RATE);
    assert.equal(scene.frames[0]?.time, start - 100);
    for (let i = 0; i < 50; i++) {
      scene.clock.advance(20);
      assert.ok(scene.frames.at(-1)!.time <= now());
    }
    scene.frames.forEach((frame, i) => assert.ok(Math.abs(frame.time - (start - 100 + i * 20)) < 0.3));
  });

  it('keep their own time where they tell it', () => {
    const scene = new Scene();
    scene.live(0, 2 * RATE);
    assert.equal(scene.sentMs, 100);
    scene.clock.advance(2000);
    assert.deepEqual(scene.pcm, ramp(WIRE_DEFAULT, 0, 2 * RATE));
    scene.frames.forEach((frame, i) => assert.equal(frame.time, CAPTURED + i * 20));
  });

  it('follow each other, and live sound follows them', () => {
    const scene = new Scene();
    scene.recording(0, 9600);
    scene.recording(9600, 9600);
    scene.live(19_200, 480);
    scene.clock.advance(1000);
    assert.deepEqual(scene.pcm, ramp(WIRE_DEFAULT, 0, 19_680));
    scene.live(19_680, 480);
    assert.equal(scene.frames.at(-1)?.position, 19_680, 'nothing waits any more');
  });

  it('that come as they play wait for nothing, though their clock be fast by 150 ppm', () => {
    const scene = new Scene();
    const interval = 20 * (1 - 150e-6);
    for (let i = 0; i < 60_000; i++) {
      scene.recording(i * 480, 480);
      assert.equal(scene.frames.length, i + 1, `after ${(i * 20) / 1000} s`);
      scene.clock.advance(interval);
    }
  });

  it('wait ten minutes at most', () => {
    const scene = new Scene();
    const minute = frameOf(WIRE_DEFAULT, 0, 60 * RATE, 0, 0);
    for (let i = 0; i < 10; i++) assert.equal(scene.feed.push(minute, false), true);
    assert.equal(scene.feed.push(minute, false), false);
    scene.clock.advance(60_000);
    assert.equal(scene.feed.push(minute, false), true);
  });
});

describe('FlowSource: stopped', () => {
  it('forgets what waits, leaves no timer, and takes what comes for nobody', () => {
    const scene = new Scene();
    scene.recording(0, RATE);
    scene.feed.stop();
    scene.feed.stop();
    assert.equal(scene.clock.pending, 0);
    const before = scene.frames.length;
    assert.equal(scene.recording(0, RATE), true);
    scene.clock.advance(2000);
    assert.equal(scene.frames.length, before);
  });

  it('starts over as a new stream', () => {
    const scene = new Scene();
    scene.live(0, 480);
    scene.start();
    scene.live(480, 480);
    assert.equal(scene.frames.at(-1)?.position, 0);
  });

  it('sends nothing more to who stops it while hearing a frame', () => {
    const clock = new FakeClock();
    const feed = new FlowSource(clock);
    let heard = 0;
    feed.start({
      onFrame: () => {
        heard++;
        feed.stop();
      },
      onState: () => undefined,
    });
    feed.push(frameOf(WIRE_DEFAULT, 0, RATE, 0, 0), false);
    clock.advance(2000);
    assert.equal(heard, 1);
    assert.equal(clock.pending, 0);
  });
});
