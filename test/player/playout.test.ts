/** The jitter buffer, in hours of simulated time: clocks that differ, jitter, stalls, and what is heard of a tone. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Playout } from '../../player/playout';
import { measureTone } from '../support/tone';
import { LEAN, simulate, TONE, type Simulated } from './simulation';

const OUTPUT_RATE = 48_000;
const MINUTE = 60;

/** Random numbers that are the same each time. */
function randoms(seed: number): () => number {
  return () => (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

/** Share of the energy of `samples` that is in a tone of `hz`. */
function purity(samples: Float32Array, hz: number): number {
  const tone = Float64Array.from(samples);
  const { amplitude } = measureTone(tone, { hz, sampleRate: OUTPUT_RATE });
  const energy = tone.reduce((sum, value) => sum + value * value, 0);
  return ((amplitude * amplitude) / 2) * (tone.length / energy);
}

/** Stretches of more than a millisecond without sound, from a second on. */
function holesIn(played: Float32Array, outputRate = OUTPUT_RATE): number {
  let [holes, silent] = [0, 0];
  for (const sample of played.subarray(outputRate)) {
    silent = Math.abs(sample) < 0.03 ? silent + 1 : 0;
    if (silent === outputRate / 1000) holes++;
  }
  return holes;
}

/** The largest step from one sample to the next. */
function steepestIn(played: Float32Array): number {
  return played.reduce((most, sample, i) => Math.max(most, Math.abs(sample - (played[i - 1] ?? 0))), 0);
}

/** Mean of what waited in each ten seconds, ms. */
function depths(options: Simulated): { means: number[]; playout: Playout; played: Float32Array } {
  const sums: { sum: number; count: number }[] = [];
  const watch = (playout: Playout, at: number): void => {
    const slot = (sums[Math.floor(at / 10_000)] ??= { sum: 0, count: 0 });
    slot.sum += playout.queuedMs;
    slot.count++;
  };
  return { ...simulate({ ...options, watch }), means: sums.map(({ sum, count }) => sum / count) };
}

describe('the jitter buffer', () => {
  test('begins within 50 ms of the first chunk, and holds about 40 ms', () => {
    const { played, means } = depths({ seconds: 10 });
    const onset = played.findIndex((sample) => Math.abs(sample) > 0.05) / (OUTPUT_RATE / 1000);
    assert.ok(onset < 60, `first sound after ${onset} ms`);
    assert.ok((means[0] ?? 0) > 20 && (means[0] ?? 0) < 40, `${means[0]} ms wait`);
  });

  for (const sampleRate of [8000, 22_050, 24_000, 44_100, 48_000]) {
    test(`plays a tone at ${sampleRate} Hz pure`, () => {
      const { played } = simulate({ seconds: 3, sampleRate });
      const share = purity(played.subarray(OUTPUT_RATE), 440);
      assert.ok(share > 0.9999, `${share} of the energy`);
    });
  }

  test('plays a high tone pure, too', () => {
    const signal = (time: number): number => 0.5 * Math.sin(2 * Math.PI * 9000 * time);
    const share = purity(simulate({ seconds: 3, signal }).played.subarray(OUTPUT_RATE), 9000);
    assert.ok(share > 0.9999, `${share} of the energy`);
  });

  for (const ppm of [200, -200]) {
    test(`follows a source that is ${ppm} ppm off for ten minutes, without a hole`, () => {
      const { means, playout, played } = depths({ ...LEAN, seconds: 10 * MINUTE, ppm });
      const growth = Math.max(...means) - Math.min(...means);
      assert.ok(growth < 16, `what waits varies by ${growth} ms`);
      assert.ok(Math.abs(playout.ppm - ppm) < 60, `${playout.ppm} ppm in the end`);
      assert.deepEqual([playout.underruns, playout.resets, holesIn(played, LEAN.outputRate)], [0, 0, 0]);
    });
  }

  test('makes no hole with 50 ms of jitter in ten minutes, once it knows of it', () => {
    const random = randoms(1);
    const options = { ...LEAN, seconds: 10 * MINUTE, delayMs: () => 50 * random() };
    const { playout, played } = simulate(options);
    assert.equal(holesIn(played, LEAN.outputRate), 0);
    assert.ok(playout.underruns <= 1, `${playout.underruns} holes in the first second`);
    assert.ok(playout.queuedMs < 100, `${playout.queuedMs} ms wait`);
  });

  test('takes back what jitter made it wait, once the jitter is over', () => {
    const random = randoms(3);
    const { means, playout } = depths({
      ...LEAN,
      seconds: 100,
      delayMs: (_index, at) => (at < 10_000 ? 50 * random() : 0),
    });
    assert.ok((means.at(-1) ?? 99) < (means[1] ?? 0) - 15, means.map(Math.round).join(' '));
    assert.equal(playout.resets, 0);
  });

  for (const [jitterMs, stallMs] of [
    [0, 500],
    [0, 800],
    [30, 500],
  ] as const) {
    test(`is as early as before 0.4 s after a stall of ${stallMs} ms, with ${jitterMs} ms of jitter, and never clicks`, () => {
      for (const phase of [0, 7, 14]) {
        const random = randoms(6);
        const [from, to] = [6000 + phase, 6000 + phase + stallMs];
        const [before, after]: [number[], number[]] = [[], []];
        const { playout, played } = simulate({
          seconds: 8,
          delayMs: (_index, at) => Math.max(at > from && at < to ? to - at : 0, jitterMs * random()),
          watch: ({ queuedMs }, at) => {
            if (at > from - 1000 && at < from) before.push(queuedMs);
            if (at > to + 400 && at < to + 1000) after.push(queuedMs);
          },
        });
        const [old, now] = [before, after].map((all) => all.reduce((sum, ms) => sum + ms, 0) / all.length);
        assert.ok((now ?? 99) - (old ?? 0) < 10, `${old} ms waited, now ${now} ms`);
        assert.equal(playout.resets, 0);
        if (jitterMs === 0) assert.deepEqual([playout.underruns, holesIn(played)], [1, 1]);
        const steepest = steepestIn(played);
        assert.ok(steepest < 0.04, `a step of ${steepest}`);
      }
    });
  }

  test('cuts what comes 150 ms too early, once', () => {
    // The sound card stood still for 400 ms: to it, all that came meanwhile comes at once.
    const { playout } = simulate({ seconds: 8, delayMs: (_index, at) => (at < 4000 ? 400 : 0) });
    assert.equal(playout.resets, 1);
    assert.ok(playout.queuedMs < 50, `${playout.queuedMs} ms wait`);
  });

  test('is as early as before after a minute of sleep: what came meanwhile is not played', () => {
    const { playout } = simulate({
      ...{ ...LEAN, seconds: 68 },
      delayMs: (_index, at) => (at < 4000 ? 60_000 : 0),
    });
    assert.equal(playout.resets, 1);
    assert.ok(playout.queuedMs < 50, `${playout.queuedMs} ms wait`);
  });

  test('drops a backlog that comes at the start', () => {
    const { playout } = simulate({ seconds: 3, delayMs: (_index, at) => (at < 300 ? 300 - at : 0) });
    assert.ok(playout.queuedMs < 50, `${playout.queuedMs} ms wait`);
    assert.deepEqual([playout.underruns, playout.resets], [0, 0]);
  });

  test('puts the latency right at once where there is silence', () => {
    const random = randoms(4);
    const { means } = depths({
      ...LEAN,
      seconds: 50,
      signal: (time) => (time < 8 ? TONE(time) : 0),
      delayMs: (_index, at) => (at < 10_000 ? 50 * random() : 0),
    });
    assert.ok((means.at(-1) ?? 99) < 40, means.map(Math.round).join(' '));
  });

  test('makes the same of a sound however it is cut', () => {
    const samples = Float32Array.from({ length: 24_000 }, (_, i) => TONE(i / 24_000) + 0.2 * Math.sin(i * i));
    const playAll = (cut: (left: number) => number): Float32Array => {
      const playout = new Playout(OUTPUT_RATE, 128);
      for (let at = 0; at < samples.length;) {
        const size = Math.min(cut(samples.length - at), samples.length - at);
        playout.push({ samples: samples.slice(at, at + size), sampleRate: 24_000, channels: 1 }, true);
        at += size;
      }
      const played = new Float32Array(OUTPUT_RATE);
      for (let at = 0; at < played.length; at += 128) {
        playout.render(played.subarray(at, at + 128), new Float32Array(128));
      }
      return played;
    };
    const whole = playAll((left) => left);
    const random = randoms(5);
    assert.deepEqual(
      playAll(() => 1 + Math.floor(700 * random())),
      whole,
    );
    assert.ok(purity(playAll(() => 480).subarray(4800, 43_200), 440) < 0.95, 'the signal is no mere tone');
  });

  test('plays a recording of five seconds whole', () => {
    const playout = new Playout(OUTPUT_RATE, 128);
    const samples = Float32Array.from({ length: 5 * 16_000 }, (_, i) => TONE(i / 16_000));
    playout.push({ samples, sampleRate: 16_000, channels: 1 }, true);
    const played = new Float32Array(6 * OUTPUT_RATE);
    for (let at = 0; at < played.length; at += 128) {
      playout.render(played.subarray(at, at + 128), new Float32Array(128));
    }
    const last = played.findLastIndex((sample) => Math.abs(sample) > 0.1);
    assert.ok(Math.abs(last / OUTPUT_RATE - 5) < 0.02, `the last sound comes at ${last / OUTPUT_RATE} s`);
    assert.ok(purity(played.subarray(4800, 4.9 * OUTPUT_RATE), 440) > 0.9999);
    assert.equal(playout.underruns, 0);
  });

  test('never clicks: not at the end, at a change of format, or at a hole', () => {
    const playout = new Playout(OUTPUT_RATE, 128);
    const played = new Float32Array(OUTPUT_RATE);
    const constant = (count: number, value: number): Float32Array => new Float32Array(count).fill(value);
    for (let at = 0, block = 0; at < played.length; at += 128, block++) {
      if (block === 0) playout.push({ samples: constant(4800, 0.5), sampleRate: 24_000, channels: 1 }, true);
      if (block === 40)
        playout.push({ samples: constant(4800, -0.5), sampleRate: 12_000, channels: 2 }, true);
      playout.render(played.subarray(at, at + 128), new Float32Array(128));
    }
    assert.ok(Math.min(...played) < -0.49 && Math.max(...played) > 0.49);
    const steepest = steepestIn(played);
    assert.ok(steepest < 0.04, `a step of ${steepest}`);
  });

  test('keeps left and right apart, and plays mono on both', () => {
    const playout = new Playout(OUTPUT_RATE, 128);
    const samples = Float32Array.from({ length: 9600 }, (_, i) => (i % 2 === 0 ? 0.25 : -0.5));
    playout.push({ samples, sampleRate: OUTPUT_RATE, channels: 2 }, true);
    const [left, right] = [new Float32Array(128), new Float32Array(128)];
    for (let i = 0; i < 20; i++) playout.render(left, right);
    assert.deepEqual([left[100]?.toFixed(2), right[100]?.toFixed(2)], ['0.25', '-0.50']);
    playout.push({ samples: new Float32Array(4800).fill(0.25), sampleRate: OUTPUT_RATE, channels: 1 }, true);
    for (let i = 0; i < 20; i++) playout.render(left, right);
    assert.deepEqual([left[100]?.toFixed(2), right[100]?.toFixed(2)], ['0.25', '0.25']);
  });
});
