/** What a payload is by its bytes, and what it shows without being decoded. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Encoding } from '../../src/audio/format';
import { ENCODINGS, recogniseEncoding } from '../../src/containers/encodings';
import { wavHeader } from '../../src/containers/wav-header';
import { bytesOf, encode, STEREO } from './support/ogg';
import { frameOf, sweep } from '../opus/support/sound';

const ALL = Object.keys(ENCODINGS) as Encoding[];

void describe('a payload', () => {
  const payloads: [Encoding | undefined, Buffer][] = [
    ['ogg', bytesOf(encode([frameOf(STEREO, sweep(STEREO, 20))]))],
    ['webm', Buffer.from('1a45dfa3934282', 'hex')],
    ['wav', wavHeader(STEREO)],
    ['opus', Buffer.of(0xfc)],
    [undefined, Buffer.alloc(0)],
    [undefined, Buffer.from('Ogg?')],
  ];
  for (const [encoding, payload] of payloads) {
    void test(`of ${encoding ?? 'nothing known'} is recognised as that`, () => {
      assert.equal(recogniseEncoding(payload.subarray(0, 12), ALL), encoding);
    });
  }

  void test('is recognised only among what is accepted', () => {
    assert.equal(recogniseEncoding(wavHeader(STEREO), ['ogg', 'webm']), undefined);
    assert.equal(recogniseEncoding(Buffer.of(0xfc), ['s16le', 'f32le']), undefined);
  });

  void test('shows its samples where it is raw or a packet', () => {
    assert.equal(ENCODINGS.s16le.count(STEREO, Buffer.alloc(3843)), 960);
    assert.equal(ENCODINGS.f32le.count({ ...STEREO, encoding: 'f32le' }, Buffer.alloc(3843)), 480);
    assert.equal(
      ENCODINGS.opus.count({ encoding: 'opus', sampleRate: 16000, channels: 1 }, Buffer.of(0xfc)),
      320,
    );
    assert.equal(
      ENCODINGS.ogg.count({ encoding: 'ogg', sampleRate: 48000, channels: 2 }, Buffer.of(0xfc)),
      0,
    );
  });
});
