/** Where the resampler's samples belong: counts, places, borders, streams side by side. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PcmFrame } from '../../src/audio/frame';
import { sliceFrame } from '../../src/audio/frame';
import { Resampler, type ResamplerOptions } from '../../src/resample/resampler';
import { channelOf, cut, format, joined, START_TIME, tone } from './signals';

function run(options: ResamplerOptions, frames: readonly PcmFrame[]): PcmFrame[] {
  const resampler = new Resampler(options);
  return [...frames.flatMap((frame) => resampler.push(frame)), ...resampler.flush()];
}

/** `frame` as it would be with `gap` samples missing in front, of which `position` and `time` know. */
function behindGap(frame: PcmFrame, gap: number): PcmFrame {
  const { sampleRate } = frame.format;
  return { ...frame, gap, position: frame.position + gap, time: frame.time + (gap * 1000) / sampleRate };
}

const total = (frames: readonly PcmFrame[]): number => frames.reduce((sum, frame) => sum + frame.samples, 0);

describe('the count of samples', () => {
  test('is round(n · out / in) after a flush, for any n', () => {
    for (const [from, to] of [
      [24000, 48000],
      [48000, 16000],
      [44100, 48000],
      [48000, 44100],
      [8000, 192000],
      [192000, 8000],
      [44100, 47999],
    ] as const) {
      for (const n of [1, 2, 3, 10, 441, 1000, 48001, 70000]) {
        const out = run({ sampleRate: to }, [tone(format(from), n, 500)]);
        assert.equal(total(out), Math.round((n * to) / from), `${n} samples from ${from} to ${to}`);
      }
    }
  });

  test('of frames is exact with `frameMs`; only the last one is shorter', () => {
    const frames = cut(tone(format(24000), 24000 + 100, 500), [333]);
    const out = run({ sampleRate: 44100, frameMs: 20 }, frames);
    assert.deepEqual([...new Set(out.slice(0, -1).map((frame) => frame.samples))], [882]);
    assert.equal(total(out), Math.round((24100 * 44100) / 24000));
    assert(out.at(-1)!.samples <= 882);
  });

  test('of frames holds where nothing else changes, without a copy of what is cut', () => {
    const frame = tone(format(24000), 960, 500);
    const out = run({ frameMs: 20 }, [frame]);
    assert.deepEqual(
      out.map(({ samples, position }) => [samples, position]),
      [
        [480, 0],
        [480, 480],
      ],
    );
    assert.equal(out[1]!.data.buffer, frame.data.buffer);
  });
});

describe('the place of the samples', () => {
  test('goes on from frame to frame, in position and time', () => {
    const frames = cut(tone(format(44100), 44100, 500), [882, 17, 1000]);
    const out = run({ sampleRate: 48000 }, frames);
    let position = 0;
    for (const frame of out) {
      assert.equal(frame.position, position);
      assert(Math.abs(frame.time - (START_TIME + position / 48)) < 1e-3);
      assert.equal(frame.gap, 0);
      position += frame.samples;
    }
  });

  test('stays on the grid of the stream, wherever a stretch begins', () => {
    const whole = tone(format(48000, 1, 'f32le'), 48000, 440);
    const all = channelOf(run({ sampleRate: 44100 }, [whole]));
    const [first, ...rest] = run({ sampleRate: 44100 }, [sliceFrame(whole, 12345, 48000)]);
    const late = channelOf([first!, ...rest]);
    assert.equal(first!.position, Math.round((12345 * 44100) / 48000));
    assert(Math.abs(first!.time - (START_TIME + first!.position / 44.1)) < 1e-3);
    for (let n = 2000; n < late.length; n++) {
      assert(Math.abs(late[n]! - all[first!.position + n]!) < 1e-6, `sample ${n}`);
    }
  });

  test('counts from far beyond 2³² without an error', () => {
    const start = 48000 * 86400 * 365 * 20;
    const [first] = run({ sampleRate: 44100 }, [{ ...tone(format(48000), 960, 500), position: start }]);
    assert.equal(first!.position, 44100 * 86400 * 365 * 20);
  });

  test("has the filter's delay in `latencyMs`, on top of what was there", () => {
    const resampler = new Resampler({ sampleRate: 48000 });
    const [frame] = resampler.push({ ...tone(format(24000), 480, 500), latencyMs: 5 });
    assert.equal(frame!.latencyMs, 5 + resampler.delayMs);
    assert.equal(frame!.time, START_TIME);
    assert(resampler.delayMs > 1);
  });
});

describe('a gap', () => {
  test('lets out what is held, and is counted at the rate of the output', () => {
    const resampler = new Resampler({ sampleRate: 48000 });
    const before = resampler.push(tone(format(24000), 480, 500));
    const out = resampler.push(behindGap(tone(format(24000), 480, 500, 0.5, 480), 120));
    assert.equal(total(before) + out[0]!.samples, 960);
    assert.equal(out[0]!.gap, 0);
    assert.deepEqual([out[1]!.position, out[1]!.gap], [1200, 240]);
    assert.equal(out[1]!.time, START_TIME + 25);
  });

  test('leaves no sample out and none twice, at rates that have no common grid', () => {
    const input = cut(tone(format(44100), 44100, 500), [1001, 7, 313]).map((frame, i) =>
      i % 3 === 2 ? { ...frame, gap: 5 } : frame,
    );
    let lost = 0;
    const moved = input.map((frame) => {
      lost += frame.gap;
      return { ...frame, position: frame.position + lost };
    });
    let expected = 0;
    for (const frame of run({ sampleRate: 48000 }, moved)) {
      expected += frame.gap;
      assert.equal(frame.position, expected);
      expected += frame.samples;
    }
    assert.equal(expected, Math.round(((44100 + lost) * 48000) / 44100));
  });

  test('before the first frame is passed on', () => {
    const [first] = run({ sampleRate: 48000 }, [behindGap(tone(format(24000), 480, 500), 24)]);
    assert.deepEqual([first!.position, first!.gap], [48, 48]);
  });

  test('lets a shorter frame go first where frames are cut', () => {
    const frames = [tone(format(24000), 500, 500), behindGap(tone(format(24000), 500, 500, 0.5, 500), 10)];
    const out = run({ frameMs: 20 }, frames);
    assert.deepEqual(
      out.map(({ samples, position, gap }) => [samples, position, gap]),
      [
        [480, 0, 0],
        [20, 480, 0],
        [480, 510, 10],
        [20, 990, 0],
      ],
    );
  });

  test('is a border where `position` did not move with it, too', () => {
    const resampler = new Resampler({ sampleRate: 48000 });
    const before = resampler.push(tone(format(24000), 480, 500));
    const [rest] = resampler.push({ ...tone(format(24000), 480, 500, 0.5, 480), gap: 20 });
    assert.equal(total(before) + rest!.samples, 960);
  });

  test('that `position` alone tells of is a border too', () => {
    const jump = { ...tone(format(24000), 480, 500), position: 10_000 };
    const out = run({ sampleRate: 48000 }, [tone(format(24000), 480, 500), jump]);
    assert.equal(total(out), 1920);
    assert.equal(out.find((frame) => frame.position >= 20_000)?.position, 20_000);
  });
});

test('a format that changes on the way flushes, and the stream goes on in the new one', () => {
  const out = run({ sampleRate: 48000, channels: 1, encoding: 's16le' }, [
    tone(format(24000), 480, 500),
    { ...tone(format(16000, 2, 'f32le'), 320, 500), position: 320 },
  ]);
  assert.equal(total(out), 960 + 960);
  assert(out.every((frame) => frame.format.sampleRate === 48000 && frame.format.channels === 1));
});

test('after a flush it is as new', () => {
  const input = tone(format(44100), 5000, 500);
  const resampler = new Resampler({ sampleRate: 48000 });
  const once = joined([...resampler.push(input), ...resampler.flush()]);
  const again = joined([...resampler.push(input), ...resampler.flush()]);
  assert.deepEqual(once, again);
  assert.deepEqual(resampler.flush(), []);
});

test('after `close`, which may be called twice, nothing of before is heard', () => {
  const resampler = new Resampler({ sampleRate: 48000 });
  const input = tone(format(24000), 480, 500);
  resampler.push(tone(format(24000), 480, 3000, 0.9));
  resampler.close();
  resampler.close();
  assert.deepEqual(resampler.flush(), []);
  assert.deepEqual(
    joined([...resampler.push(input), ...resampler.flush()]),
    joined(run({ sampleRate: 48000 }, [input])),
  );
});

test('a thousand streams side by side do not hear each other', () => {
  const streams = Array.from({ length: 1000 }, () => new Resampler({ sampleRate: 48000 }));
  const input = Array.from({ length: 7 }, (_, i) => cut(tone(format(44100), 1764, 300 + 100 * i), [882]));
  const expected = input.map((frames) => joined(run({ sampleRate: 48000 }, frames)));
  const out = streams.map((): PcmFrame[] => []);
  for (const turn of [0, 1]) {
    streams.forEach((stream, i) => out[i]!.push(...stream.push(input[i % 7]![turn]!)));
  }
  streams.forEach((stream, i) => {
    assert.deepEqual(joined([...out[i]!, ...stream.flush()]), expected[i % 7]);
  });
});
