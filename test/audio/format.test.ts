/** The arithmetic of formats. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bytesPerSample,
  formatText,
  isPcm,
  isPcmEncoding,
  msOfSamples,
  sameFormat,
  samplesInMs,
  type Channels,
  type PcmEncoding,
} from '../../src/audio/format';

test('a sample in every channel takes 2 bytes a channel as s16le, 4 as f32le', () => {
  const sizes = (['s16le', 'f32le'] as PcmEncoding[]).flatMap((encoding) =>
    ([1, 2] as Channels[]).map((channels) => bytesPerSample({ encoding, sampleRate: 24000, channels })),
  );
  assert.deepEqual(sizes, [2, 4, 4, 8]);
});

test('20 ms are a whole number of samples at every rate of the protocol', () => {
  const counts = [8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000].map((rate) => samplesInMs(rate, 20));
  assert.deepEqual(counts, [160, 240, 320, 441, 480, 640, 882, 960]);
});

test('samples and milliseconds are each other, to the nearest sample', () => {
  fc.assert(
    fc.property(fc.integer({ min: 8000, max: 192_000 }), fc.nat(1e9), (rate, samples) => {
      assert.equal(samplesInMs(rate, msOfSamples(rate, samples)), samples);
    }),
  );
});

test('only raw samples are PCM', () => {
  assert.deepEqual(['s16le', 'f32le', 'opus', 'wav', 'ogg', undefined, 1, 'S16LE'].map(isPcmEncoding), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
  assert(isPcm({ encoding: 's16le', sampleRate: 8000, channels: 1 }));
  assert(!isPcm({ encoding: 'opus', sampleRate: 48000, channels: 2 }));
});

test('formats are the same where encoding, rate and channels are', () => {
  const format = { encoding: 's16le', sampleRate: 24000, channels: 1 } as const;
  assert(sameFormat(format, { ...format }));
  for (const other of [{ encoding: 'f32le' }, { sampleRate: 8000 }, { channels: 2 }] as const) {
    assert(!sameFormat(format, { ...format, ...other }));
  }
});

test('a format reads as people say it', () => {
  assert.equal(formatText({ encoding: 's16le', sampleRate: 24000, channels: 1 }), '24000 Hz mono s16le');
  assert.equal(formatText({ encoding: 'opus', sampleRate: 48000, channels: 2 }), '48000 Hz stereo opus');
});
