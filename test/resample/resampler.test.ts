/** What the resampler promises but for the filter's quality: counts, places, borders, channels, encodings, errors. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import type { PcmFrame } from '../../src/audio/frame';
import { sliceFrame } from '../../src/audio/frame';
import { createPlainKernel } from '../../src/kernels/plain';
import { Resampler, type ResamplerOptions } from '../../src/resample/resampler';
import { channelOf, cut, format, frameOf, joined, START_TIME, tone } from './signals';

const code = (wanted: string) => (error: unknown) => error instanceof OrgoError && error.code === wanted;

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

describe('where nothing changes', () => {
  test('the very same frame goes on', () => {
    const frame = tone(format(44100, 2), 882, 500);
    const resampler = new Resampler({ sampleRate: 44100, channels: 2, encoding: 's16le' });
    assert.equal(resampler.push(frame)[0], frame);
    assert.equal(resampler.delayMs, 0);
  });

  test('but the encoding, s16 goes to f32 and back without losing a bit', () => {
    const all = frameOf(format(48000, 2), 65536, (n, c) => (c === 0 ? n - 32768 : 32767 - n) / 32768);
    const there = run({ encoding: 'f32le' }, [all]);
    assert.deepEqual(joined(run({ encoding: 's16le' }, there)), all.data);
    assert.equal(there[0]!.latencyMs, 0);
  });
});

describe('channels', () => {
  const at = (n: number, c: number): number => (c === 0 ? n / 1000 : -n / 3000);

  test('two become one by their average', () => {
    for (const encoding of ['s16le', 'f32le'] as const) {
      const out = run({ channels: 1 }, [frameOf(format(24000, 2, encoding), 900, at)]);
      channelOf(out).forEach((value, n) => assert(Math.abs(value - n / 3000) < 1 / 32768));
    }
  });

  test('one becomes two by doubling', () => {
    for (const encoding of ['s16le', 'f32le'] as const) {
      const mono = frameOf(format(24000, 1, encoding), 900, at);
      const out = run({ channels: 2 }, [mono]);
      assert.deepEqual(channelOf(out, 0), channelOf([mono]));
      assert.deepEqual(channelOf(out, 1), channelOf([mono]));
    }
  });

  test('are mixed before, and doubled behind the filter', () => {
    const stereo = tone(format(44100, 2, 'f32le'), 4410, 500);
    const mixed = run({ channels: 1 }, [stereo]);
    assert.deepEqual(
      joined(run({ channels: 1, sampleRate: 48000 }, [stereo])),
      joined(run({ sampleRate: 48000 }, mixed)),
    );
    const doubled = run({ channels: 2, sampleRate: 48000 }, mixed);
    assert.deepEqual(channelOf(doubled, 0), channelOf(doubled, 1));
    assert.deepEqual(channelOf(doubled, 0), channelOf(run({ sampleRate: 48000 }, mixed)));
  });

  test('of stereo stay apart in the filter', () => {
    const left = (n: number, c: number): number => (c === 0 ? Math.sin(n / 10) / 2 : 0);
    const out = run({ sampleRate: 48000 }, [frameOf(format(44100, 2), 4410, left)]);
    assert(channelOf(out, 0).some((value) => value > 0.4));
    assert(channelOf(out, 1).every((value) => value === 0));
  });
});

describe('gain and full scale', () => {
  test('6.02 dB double the sound', () => {
    const input = tone(format(24000, 1, 'f32le'), 480, 500, 0.2);
    const out = channelOf(run({ gainDb: 20 * Math.log10(2) }, [input]));
    channelOf([input]).forEach((value, n) => assert(Math.abs(out[n]! - 2 * value) < 1e-7));
  });

  test('what s16 can not hold is clipped, rounded to nearest, and counted', () => {
    const values = [0.5, 1, -1, 1.5, -1.5, 0.4 / 32768, 0.6 / 32768, -0.6 / 32768];
    const resampler = new Resampler({ encoding: 's16le' });
    const [out] = resampler.push(frameOf(format(24000, 1, 'f32le'), values.length, (n) => values[n]!));
    assert.deepEqual(
      values.map((_, n) => out!.data.readInt16LE(n * 2)),
      [16384, 32767, -32768, 32767, -32768, 0, 1, -1],
    );
    assert.equal(resampler.clipped, 3);
    resampler.close();
    assert.equal(resampler.clipped, 3);
  });

  test('f32 keeps what is beyond full scale', () => {
    const out = run({ sampleRate: 48000 }, [tone(format(24000, 1, 'f32le'), 4800, 500, 3)]);
    assert(channelOf(out).some((value) => value > 2.9));
  });

  test('what is no number is as if nothing had been there', () => {
    const [bad, silent] = [NaN, 0].map((value) =>
      frameOf(format(24000, 1, 'f32le'), 4800, (n) => (n % 100 === 50 ? value : 0.3)),
    );
    assert.deepEqual(
      joined(run({ sampleRate: 48000 }, [bad!])),
      joined(run({ sampleRate: 48000 }, [silent!])),
    );
  });

  test('what is no number is silence, ±∞ is full scale, and neither is heard any longer than the filter', () => {
    const bad = [NaN, Infinity, -Infinity, 3e38, -3e38];
    for (const encoding of ['s16le', 'f32le'] as const) {
      for (const value of bad) {
        for (const options of [{ sampleRate: 48000 }, { channels: 1 as const }, { gainDb: 60 }]) {
          const input = frameOf(format(24000, 2, 'f32le'), 4800, (n) => (n === 100 ? value : 0));
          const out = channelOf(run({ ...options, encoding }, [input]));
          assert(out.every(Number.isFinite), `${value}`);
          assert(out.subarray(1000).every((sample) => sample === 0));
        }
      }
    }
  });
});

describe('what can not be taken', () => {
  test('is refused when it is made, with the value and what is allowed', () => {
    const wrong: [ResamplerOptions, RegExp][] = [
      [{ sampleRate: 0 }, /sampleRate is 0: .*8000 to 192000/],
      [{ sampleRate: 7999 }, /7999/],
      [{ sampleRate: 1e9 }, /1000000000/],
      [{ sampleRate: NaN }, /NaN/],
      [{ sampleRate: 44100.5 }, /44100.5/],
      [{ channels: 3 as 2 }, /channels is 3: .*1 or 2/],
      [{ encoding: 'mp3' as 's16le' }, /encoding is mp3/],
      [{ quality: 'toString' as 'high' }, /quality is toString: .*fast, high, best/],
      [{ gainDb: 61 }, /gainDb is 61/],
      [{ gainDb: NaN }, /gainDb is NaN/],
      [{ frameMs: -1 }, /frameMs is -1/],
      [{ frameMs: 0.001 }, /frameMs is 0.001/],
    ];
    for (const [options, text] of wrong) {
      assert.throws(() => new Resampler(options), code('ORGO_BAD_SETTING'));
      assert.throws(() => new Resampler(options), text);
    }
  });

  test('is refused when it comes, and harms nothing', () => {
    const good = tone(format(24000), 480, 500);
    const resampler = new Resampler({ sampleRate: 48000 });
    const out = resampler.push(good);
    for (const change of [
      { sampleRate: 0 },
      { sampleRate: 7999 },
      { sampleRate: 1e9 },
      { channels: 3 as 2 },
      { encoding: 'opus' as 's16le' },
    ]) {
      const bad = { ...good, format: { ...good.format, ...change } };
      assert.throws(() => resampler.push(bad), code('ORGO_BAD_INPUT'));
    }
    assert.throws(() => resampler.push({ ...good, samples: 481 }), code('ORGO_BAD_INPUT'));
    assert.deepEqual(joined([...out, ...resampler.flush()]), joined(run({ sampleRate: 48000 }, [good])));
  });

  test('is not an empty frame: nothing comes of it', () => {
    const resampler = new Resampler({ sampleRate: 48000 });
    assert.deepEqual(resampler.push(tone(format(24000), 0, 500)), []);
    assert.deepEqual(resampler.flush(), []);
  });
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

test('the plain kernel gives the same sound as SIMD, to the last bit of s16 or the one before', () => {
  const input = tone(format(44100, 2), 44100, 1000);
  const plain = new Resampler({ sampleRate: 48000 }, createPlainKernel());
  const theirs = channelOf([...plain.push(input), ...plain.flush()]);
  const ours = channelOf(run({ sampleRate: 48000 }, [input]));
  assert.equal(ours.length, theirs.length);
  ours.forEach((value, n) => assert(Math.abs(value - theirs[n]!) <= 1 / 32768));
});
