/** However the input is cut, the output is the same to the bit, and so are its places. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createScalarKernel } from '../../src/kernels/scalar';
import { kernel } from '../../src/kernels/index';
import { Resampler, type Quality, type ResamplerOptions } from '../../src/resample/resampler';
import { cut, format, frameOf, joined } from './signals';

const rates = fc.constantFrom(8000, 11025, 16000, 22050, 24000, 32000, 44100, 47999, 48000, 96000, 192000);
const channels = fc.constantFrom<1 | 2>(1, 2);
const encoding = fc.constantFrom<'s16le' | 'f32le'>('s16le', 'f32le');
const options: fc.Arbitrary<ResamplerOptions> = fc.record({
  sampleRate: fc.option(rates, { nil: undefined }),
  channels: fc.option(channels, { nil: undefined }),
  encoding: fc.option(encoding, { nil: undefined }),
  quality: fc.constantFrom<Quality>('fast', 'high', 'best', 'live'),
  gainDb: fc.constantFrom(0, -3, 6),
  frameMs: fc.constantFrom(0, 10, 20),
});
const input = fc.tuple(rates, channels, encoding).map((of) => format(...of));
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3000 })), {
  minLength: 1,
  maxLength: 20,
});

for (const k of [kernel, createScalarKernel()]) {
  test(`20 ms frames and random cuts give the same bits (${k.name})`, () => {
    fc.assert(
      fc.property(
        options,
        input,
        cuts,
        fc.integer({ min: 0, max: 30000 }),
        fc.nat(1e6),
        (opts, of, at, n, position) => {
          const sound = frameOf(
            of,
            n,
            (i, c) => Math.sin(i * 0.05 * (c + 1)) + 0.3 * Math.sin(i * i),
            position,
          );
          const [regular, random] = [[of.sampleRate / 50], at].map((lengths) => {
            const resampler = new Resampler(opts, k);
            const out = cut(sound, lengths.map(Math.ceil)).flatMap((frame) => resampler.push(frame));
            out.push(...resampler.flush());
            let next = out[0]?.position ?? 0;
            for (const frame of out) {
              assert.equal(frame.position, next);
              const time = sound.time + (next / frame.format.sampleRate - position / of.sampleRate) * 1000;
              assert(Math.abs(frame.time - time) < 1e-2);
              next += frame.samples;
            }
            return { first: out[0]?.position, clipped: resampler.clipped, bytes: joined(out) };
          });
          assert.deepEqual(random, regular);
        },
      ),
      { numRuns: k.name === 'simd' ? 100 : 30 },
    );
  });
}
