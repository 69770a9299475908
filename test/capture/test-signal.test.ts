import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../src/audio/clock';
import type { PcmFrame } from '../../src/audio/frame';
import type { SourceState } from '../../src/capture/source';
import { TEST_SIGNAL_FORMAT, TEST_TONE_HZ, TestSignal, testSignalLoop } from '../../src/capture/test-signal';
import { FakeClock } from '../nodes/fake-clock';
import { channelOf, measureTone } from '../support/tone';

const FRAME = 480;
const RATE = TEST_SIGNAL_FORMAT.sampleRate;

function playing(): {
  clock: FakeClock;
  signal: TestSignal;
  frames: PcmFrame[];
  states: SourceState[];
} {
  const clock = new FakeClock();
  const signal = new TestSignal(clock);
  const frames: PcmFrame[] = [];
  const states: SourceState[] = [];
  signal.start({
    onFrame: (frame) => frames.push(frame),
    onState: (state) => states.push(state),
  });
  return { clock, signal, frames, states };
}

describe('testSignalLoop', () => {
  const samples = channelOf(testSignalLoop(), 1);

  it('is a whole number of frames of speech, a tone at −12 dBFS, and silence', () => {
    assert.equal(samples.length % FRAME, 0);
    const end = samples.findLastIndex((sample) => Math.abs(sample) > 1e-3) + 1;
    assert.ok(samples.length - end > 0.9 * RATE, 'silence at the end');
    const tone = measureTone(
      samples,
      { hz: TEST_TONE_HZ, sampleRate: RATE },
      end - 0.9 * RATE,
      end - 0.1 * RATE,
    );
    assert.ok(Math.abs(tone.amplitude - 0.25) < 1e-3, `${tone.amplitude}`);
    const speech = samples.subarray(0, end - 1.3 * RATE);
    assert.ok(Math.max(...speech) > 0.05, 'someone speaks');
  });

  it('never clips and never clicks', () => {
    let step = 0;
    for (let i = 1; i < samples.length; i++) step = Math.max(step, Math.abs(samples[i]! - samples[i - 1]!));
    assert.ok(Math.max(...samples.map(Math.abs)) < 0.99);
    assert.ok(step < 0.5, `${step}`);
  });
});

/** A clock whose timer is called as late as the test likes. */
class StallingClock implements Clock {
  private time = 0;
  due: (() => void) | undefined;

  now(): number {
    return this.time;
  }

  epochOffset(): number {
    return 0;
  }

  after(_ms: number, fn: () => void): () => void {
    this.due = fn;
    return () => (this.due = undefined);
  }

  wakeAt(time: number): void {
    this.time = time;
    const { due } = this;
    this.due = undefined;
    due?.();
  }
}

describe('TestSignal', () => {
  it('gives a frame each 20 ms, at its place on the clock, round and round', () => {
    const { clock, frames, states } = playing();
    assert.deepEqual(states, [{ kind: 'running', device: 'test', muted: false }]);
    const loop = testSignalLoop();
    const turn = loop.length / 2 / FRAME;
    clock.advance(20 * (turn + 3));
    assert.equal(frames.length, turn + 3);
    frames.forEach((frame, i) => {
      assert.equal(frame.position, i * FRAME);
      assert.equal(frame.time, clock.epoch + 1000 + i * 20);
      assert.equal(frame.gap, 0);
    });
    assert.deepEqual(Buffer.concat(frames.slice(0, turn).map(({ data }) => data)), loop);
    assert.deepEqual(frames[turn]?.data, frames[0]?.data);
  });

  it('catches up after a short stall, and counts a longer one as missed', () => {
    const clock = new StallingClock();
    const frames: PcmFrame[] = [];
    new TestSignal(clock).start({ onFrame: (frame) => frames.push(frame), onState: () => undefined });
    clock.wakeAt(20);
    clock.wakeAt(120);
    assert.deepEqual(
      frames.map(({ position, gap }) => [position / FRAME, gap]),
      [0, 1, 2, 3, 4, 5].map((index) => [index, 0]),
    );
    clock.wakeAt(2120);
    assert.equal(frames.length, 7, 'nothing is played late');
    const last = frames.at(-1)!;
    assert.equal(last.gap, 99 * FRAME);
    assert.equal(last.position, 105 * FRAME);
    assert.equal(last.time, 105 * 20);
  });

  it('starts over as a new stream, and leaves no timer when it is stopped', () => {
    const { clock, signal, frames } = playing();
    clock.advance(100);
    signal.stop();
    signal.stop();
    assert.equal(clock.pending, 0);
    signal.start({ onFrame: (frame) => frames.push(frame), onState: () => undefined });
    signal.start({ onFrame: (frame) => frames.push(frame), onState: () => undefined });
    assert.equal(clock.pending, 1);
    clock.advance(20);
    assert.deepEqual([frames.length, frames.at(-1)?.position], [6, 0]);
  });

  it('stops at once for who stops it while hearing a frame', () => {
    const clock = new StallingClock();
    const signal = new TestSignal(clock);
    let heard = 0;
    const onFrame = (): void => {
      heard++;
      signal.stop();
    };
    signal.start({ onFrame, onState: () => undefined });
    clock.wakeAt(80);
    assert.equal(heard, 1, 'of the four that were due');
    assert.equal(clock.due, undefined);
  });
});
