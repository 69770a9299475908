/** What the resampler does to the samples but for the filter: channels, encodings, gain; and what it refuses. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import type { PcmFrame } from '../../src/audio/frame';
import { createScalarKernel } from '../../src/kernels/scalar';
import { Resampler, type ResamplerOptions } from '../../src/resample/resampler';
import { channelOf, format, frameOf, joined, tone } from './signals';

const code = (wanted: string) => (error: unknown) => error instanceof OrgoError && error.code === wanted;

function run(options: ResamplerOptions, frames: readonly PcmFrame[]): PcmFrame[] {
  const resampler = new Resampler(options);
  return [...frames.flatMap((frame) => resampler.push(frame)), ...resampler.flush()];
}

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
      [{ channels: 3 as 2 }, /channels is 3: .*blank, 1, 2/],
      [{ encoding: 'mp3' as 's16le' }, /encoding is "mp3"/],
      [{ quality: 'toString' as 'high' }, /quality is "toString": .*high, best, fast/],
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

test('the scalar kernel gives the same sound as SIMD, to the last bit of s16 or the one before', () => {
  const input = tone(format(44100, 2), 44100, 1000);
  const plain = new Resampler({ sampleRate: 48000 }, createScalarKernel());
  const theirs = channelOf([...plain.push(input), ...plain.flush()]);
  const ours = channelOf(run({ sampleRate: 48000 }, [input]));
  assert.equal(ours.length, theirs.length);
  ours.forEach((value, n) => assert(Math.abs(value - theirs[n]!) <= 1 / 32768));
});
