/** The same packets and the same sound, bit for bit, however the input is cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AudioFrame } from '../../src/audio/frame';
import type { PcmEncoding } from '../../src/audio/format';
import type { Transform } from '../../src/audio/transform';
import { ContainerDecoder } from '../../src/containers/container-decoder';
import { OpusEncoder } from '../../src/opus/encoder';
import { OggEncoder } from '../../src/containers/ogg-encoder';
import { cut, s16, START_TIME, sweep } from './support/sound';

const RUNS = { numRuns: 25 };
const cuts = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 });
const format = fc.constantFrom(s16(48000, 2), s16(24000, 1), s16(44100, 1), s16(16000, 2));

type Placed = Pick<AudioFrame, 'data' | 'position' | 'samples' | 'gap'>;

function run<F extends AudioFrame>(
  transform: { push(frame: F): AudioFrame[]; flush(): AudioFrame[] },
  frames: readonly F[],
): Placed[] {
  return [...frames.flatMap((frame) => transform.push(frame)), ...transform.flush()].map(
    ({ data, position, samples, gap }) => ({ data: Buffer.from(data), position, samples, gap }),
  );
}

void test('Opus packets', () => {
  fc.assert(
    fc.property(format, cuts, fc.constantFrom(2.5, 5, 10, 20, 40, 60), (pcm, lengths, frameMs) => {
      const data = sweep(pcm, 333);
      const settings = { frameMs } as const;
      assert.deepEqual(
        run(new OpusEncoder(settings), cut(pcm, data, lengths)),
        run(new OpusEncoder(settings), cut(pcm, data, [1e9])),
      );
    }),
    RUNS,
  );
});

void test('Ogg pages', () => {
  const encoder = (): Transform<PcmEncoding, AudioFrame> => new OggEncoder({}, undefined, () => 0.5);
  fc.assert(
    fc.property(format, cuts, (pcm, lengths) => {
      const data = sweep(pcm, 333);
      assert.deepEqual(run(encoder(), cut(pcm, data, lengths)), run(encoder(), cut(pcm, data, [1e9])));
    }),
    RUNS,
  );
});

void test('sound out of Ogg', () => {
  const pcm = s16(48000, 2);
  const file = Buffer.concat(run(new OggEncoder(), cut(pcm, sweep(pcm, 500), [960])).map(({ data }) => data));
  const ogg = (data: Buffer): AudioFrame<'ogg'> => ({
    format: { encoding: 'ogg', sampleRate: 48000, channels: 2 },
    data,
    samples: 0,
    position: 0,
    time: START_TIME,
    gap: 0,
    latencyMs: 0,
  });
  const whole = run(new ContainerDecoder(), [ogg(file)]);
  fc.assert(
    fc.property(cuts, (lengths) => {
      const pieces: AudioFrame<'ogg'>[] = [];
      for (let at = 0, turn = 0; at < file.length; turn++) {
        const length = lengths[turn % lengths.length] ?? 1;
        pieces.push(ogg(file.subarray(at, at + length)));
        at += length;
      }
      assert.deepEqual(run(new ContainerDecoder(), pieces), whole);
    }),
    RUNS,
  );
});
