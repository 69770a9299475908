/** The history: the last seconds, sample for sample, with silence where sound is missing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AudioFrame, PcmFrame } from '../../src/audio/frame';
import { sliceFrame } from '../../src/audio/frame';
import { History, type Recording } from '../../src/monitor/history';
import { OpusEncoder } from '../../src/opus/encoder';
import { channelOf, measureTone } from '../support/tone';
import { counting, MONO, pcm, sine } from './support';

/** What is read, and in how many slices. */
function read(history: History, seconds?: number): { recording: Recording | undefined; slices: number } {
  const reading = history.read(seconds);
  for (let slices = 1; ; slices++) {
    const step = reading.next();
    if (step.done === true) return { recording: step.value, slices };
  }
}

function of(frames: readonly AudioFrame[], seconds = 1): History {
  const history = new History(seconds);
  for (const frame of frames) history.push(frame, true, false);
  return history;
}

/** 20 ms each. */
function frames(count: number, first = 0): PcmFrame[] {
  return Array.from({ length: count }, (_, i) => pcm(480, counting, { position: (first + i) * 480 }));
}

describe('History', () => {
  it('has nothing before any sound, and keeps nothing where 0 seconds are asked for', () => {
    assert.equal(read(new History(30)).recording, undefined);
    assert.equal(read(of(frames(10), 0)).recording, undefined);
  });

  it('keeps exactly the last seconds, and says when they began', () => {
    const { recording } = read(of(frames(125)));
    assert.equal(recording?.samples, 24_000);
    assert.equal(recording.time, 1500);
    assert.deepEqual(recording.data, pcm(24_000, counting, { position: 36_000 }).data);
    assert.deepEqual(recording.format, MONO);
  });

  it('gives what there is where it is less, and less where less is asked for', () => {
    const history = of(frames(20), 30);
    assert.deepEqual(read(history).recording?.data, pcm(9600, counting).data);
    const { recording } = read(history, 0.1);
    assert.deepEqual(recording?.data, pcm(2400, counting, { position: 7200 }).data);
    assert.equal(recording.time, 300);
    assert.equal(read(history, 1000).recording?.samples, 9600);
  });

  it('has silence where sound is missing', () => {
    const history = of([...frames(5), { ...pcm(480, counting, { position: 4800 }), gap: 2400 }]);
    const { recording } = read(history);
    assert.equal(recording?.samples, 5280);
    assert.deepEqual(recording.data.subarray(0, 4800), pcm(2400, counting).data);
    assert.deepEqual(recording.data.subarray(4800, 9600), Buffer.alloc(4800));
    assert.deepEqual(recording.data.subarray(9600), pcm(480, counting, { position: 4800 }).data);
  });

  it('makes no memory of a gap of a day, and knows the time of a first sample that is missing', () => {
    const day = 24 * 3600 * 24_000;
    const history = of([...frames(5), { ...pcm(480, counting, { position: day }), gap: day - 2400 }]);
    const { recording } = read(history);
    assert.equal(recording?.samples, 480, 'what came before the gap is too old');
    const short = of([...frames(5), { ...pcm(480, counting, { position: 12_000 }), gap: 9600 }]);
    assert.equal(read(short, 0.1).recording?.time, 12_480 / 24 - 100);
  });

  it('fills the pause between two streams whose times are known, and joins those whose are not', () => {
    const next = pcm(480, counting, { position: 0, time: 500 });
    const timed = of(frames(5));
    timed.push(next, true, true);
    assert.equal(read(timed).recording?.samples, 2400 + 9600 + 480);
    const untimed = of(frames(5));
    untimed.push(next, false, true);
    assert.equal(read(untimed).recording?.samples, 2400 + 480);
  });

  it('begins anew with another format', () => {
    const stereo = { encoding: 'f32le', sampleRate: 48_000, channels: 2 } as const;
    const history = of([...frames(20), pcm(960, counting, { format: stereo })]);
    const { recording } = read(history);
    assert.deepEqual(recording?.format, stereo);
    assert.equal(recording.samples, 960);
  });

  it('keeps the end of a file that is longer than itself', () => {
    const { recording } = read(of([pcm(240_000, counting)]));
    assert.deepEqual(recording?.data, pcm(24_000, counting, { position: 216_000 }).data);
    assert.equal(recording.time, 9000);
  });

  it('does not share memory with what came, nor with what was read', () => {
    const frame = pcm(480, counting);
    const history = of([frame]);
    frame.data.fill(0);
    read(history).recording?.data.fill(0);
    assert.deepEqual(read(history).recording?.data, pcm(480, counting).data);
  });

  it('is the same however the sound is cut', () => {
    const whole = pcm(40_000, counting);
    const expected = read(of([whole])).recording;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 40 }), (lengths) => {
        const history = new History(1);
        let at = 0;
        for (let i = 0; at < whole.samples; i++) {
          const end = Math.min(whole.samples, at + (lengths[i % lengths.length] ?? 1));
          history.push(sliceFrame(whole, at, end), true, false);
          at = end;
        }
        assert.deepEqual(read(history).recording, expected);
      }),
      { numRuns: 20 },
    );
  });

  it('decodes Opus in slices, each sample at its place', () => {
    const encoder = new OpusEncoder({ application: 'audio', bitrate: 96_000 });
    const tone = pcm(72_000, sine(1000, 0.5));
    const packets = [...encoder.push(tone), ...encoder.flush()];
    const { recording, slices } = read(of(packets));
    assert.deepEqual(recording?.format, MONO);
    assert.equal(recording.samples, 24_000);
    assert.ok(slices > 3, `${slices} slices`);
    const end = Math.max(...packets.map(({ position, samples }) => position + samples));
    assert.ok(Math.abs(recording.time - (end / 24 - 1000)) < 20, `${recording.time}`);
    const from = Math.round(recording.time * 24);
    const { amplitude, phase } = measureTone(channelOf(recording.data, 1), { hz: 1000, sampleRate: 24_000 });
    assert.ok(Math.abs(amplitude - 0.5) < 0.02, `${amplitude}`);
    const shifted =
      ((((phase - (2 * Math.PI * from) / 24) % (2 * Math.PI)) + 3 * Math.PI) % (2 * Math.PI)) - Math.PI;
    assert.ok(Math.abs(shifted) < 0.1, `phase ${shifted}`);
  });
});
