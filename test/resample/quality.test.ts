/** How true the sound stays: aliases and images, pass band, delay. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Resampler, type Quality } from '../../src/resample/resampler';
import { channelOf, EDGE_S, PAIRS, cut, dB, fitTone, format, joined, middle, tone } from './signals';

/** One channel that comes out when a tone of 0.5 s goes in as f32. */
function resampledTone(
  from: number,
  to: number,
  quality: Quality,
  hz: number,
  amplitude = 0.5,
): Float64Array {
  const resampler = new Resampler({ sampleRate: to, quality });
  const frames = cut(tone(format(from, 1, 'f32le'), from / 2, hz, amplitude), [from / 50]);
  const out = [...frames.flatMap((frame) => resampler.push(frame)), ...resampler.flush()];
  return middle(channelOf(out), Math.round(to * EDGE_S));
}

function rms(signal: Float64Array): number {
  return Math.sqrt(signal.reduce((sum, value) => sum + value * value, 0) / signal.length);
}

for (const [quality, limit] of [
  ['high', -115],
  ['best', -130],
] as const) {
  describe(`the preset \`${quality}\``, () => {
    test(`keeps aliases below ${limit} dBc from 1.1 × the new Nyquist on`, () => {
      for (const [from, to] of PAIRS.filter(([a, b]) => b < a)) {
        for (const factor of [1.1, 1.17, 1.375, 1.6, 1.9]) {
          const hz = (factor * to) / 2;
          if (hz > 0.99 * (from / 2)) continue;
          const left = dB(rms(resampledTone(from, to, quality, hz)) / (0.5 / Math.SQRT2));
          assert(left <= limit, `${from} to ${to}, ${hz} Hz: ${left.toFixed(1)} dBc`);
        }
      }
    });

    test(`keeps images below ${limit} dBc from 1.1 × the old Nyquist on`, () => {
      for (const [from, to] of PAIRS.filter(([a, b]) => b > a)) {
        for (const factor of [0.3, 0.77, 0.9]) {
          const hz = (factor * from) / 2;
          const out = resampledTone(from, to, quality, hz);
          // The tone would leak into the fit of its image.
          const rest = without(out, hz, to);
          for (const image of [from - hz, from + hz].filter((f) => f <= 0.99 * (to / 2))) {
            const left = dB(fitTone(rest, image, to).amplitude / 0.5);
            assert(left <= limit, `${from} to ${to}, ${hz} Hz: ${left.toFixed(1)} dBc at ${image} Hz`);
          }
        }
      }
    });
  });
}

/** `signal` without its tone at `hz`. */
function without(signal: Float64Array, hz: number, sampleRate: number): Float64Array {
  const { amplitude, phase } = fitTone(signal, hz, sampleRate);
  return signal.map((value, n) => value - amplitude * Math.sin((2 * Math.PI * hz * n) / sampleRate + phase));
}

test('the pass band is flat to 0.1 dB: `high` to 0.92, `best` to 0.955, `live` to 0.89 × Nyquist', () => {
  for (const [quality, end] of [
    ['high', 0.92],
    ['best', 0.955],
    ['live', 0.89],
  ] as const) {
    for (const [from, to] of PAIRS) {
      for (const part of [0.01, 0.5, 0.98, 1]) {
        const hz = (part * end * Math.min(from, to)) / 2;
        const change = dB(fitTone(resampledTone(from, to, quality, hz), hz, to).amplitude / 0.5);
        assert(Math.abs(change) <= 0.1, `${quality}, ${from} to ${to}: ${change.toFixed(3)} dB at ${hz} Hz`);
      }
    }
  }
});

test('`live` keeps 90 dB beyond the new Nyquist, 2 ms late at most from 48 to 24 kHz', () => {
  for (const hz of [12000, 12200, 13100, 17000, 21000]) {
    const left = dB(rms(resampledTone(48000, 24000, 'live', hz)) / (0.5 / Math.SQRT2));
    assert(left <= -89.9, `${hz} Hz: ${left.toFixed(1)} dBc`);
  }
  assert(delayOf(48000, 24000, 'live') <= 2);
});

test('the delay keeps within 4 ms at 20 kHz and more, 5 ms at 16, 10.5 ms at 8; `best` 7 ms from 24 to 48', () => {
  for (const [from, to] of PAIRS) {
    const lower = Math.min(from, to);
    const limit = lower >= 20000 ? 4 : lower === 16000 ? 5 : 10.5;
    assert(delayOf(from, to, 'high') <= limit, `${from} to ${to}: ${delayOf(from, to, 'high')} ms`);
  }
  assert(delayOf(24000, 48000, 'best') <= 7);
});

/** Of the filter, ms; checked against the samples that it really waits for. */
function delayOf(from: number, to: number, quality: Quality): number {
  const resampler = new Resampler({ sampleRate: to, quality });
  let waited = 0;
  for (;;) {
    const [first] = resampler.push(tone(format(from), 1, 100, 0.5, waited));
    waited++;
    if (!first) continue;
    assert(((waited - 1) * 1000) / from <= first.latencyMs + 1e-9, 'more is held back than the filter needs');
    return first.latencyMs;
  }
}

test('what comes out lies in time where what went in lay, for pairs of rates without a common divisor too', () => {
  for (const [from, to] of [...PAIRS, [44100, 47999], [8001, 192000], [191999, 8000]] as const) {
    const resampler = new Resampler({ sampleRate: to });
    const out = [...resampler.push(tone(format(from, 1, 'f32le'), from, 1000)), ...resampler.flush()];
    const skipped = Math.round(to * EDGE_S);
    const fit = fitTone(middle(channelOf(out), skipped), 1000, to, skipped);
    assert(Math.abs(fit.phase) < 1e-5, `${from} to ${to}: ${fit.phase} rad`);
    assert(dB(fit.amplitude / Math.SQRT2 / fit.residual) > 115, `${from} to ${to}: ${fit.residual}`);
    assert.equal(joined(out).length / 4, to);
  }
});
