/** PCM to MP3, AAC, FLAC, Ogg Opus and WAV: what others read in it, and which sound each piece is of. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PcmFormat } from '../../../src/audio/format';
import type { AudioFrame, PcmFrame } from '../../../src/audio/frame';
import { frameCounter } from '../../../src/convert/encoded-frames';
import { Encoding } from '../../../src/convert/encoding';
import type { EncodeFormat, EncodeOptions } from '../../../src/convert/options';
import { channelOf, measureTone } from '../../support/tone';
import {
  bytesOf,
  CD,
  decode,
  framesOf,
  made,
  skipWithoutFfmpeg,
  START,
  START_TIME,
  tones,
} from '../../convert/support/files';

async function encode(options: EncodeOptions, frames: readonly PcmFrame[]): Promise<AudioFrame[]> {
  const out: AudioFrame[] = [];
  const encoding = new Encoding(options, (frame) => void out.push(frame));
  for (const frame of frames) await encoding.write(frame);
  assert.equal(await encoding.finish(), undefined);
  return out;
}

/** What ffmpeg itself makes of the bytes, at 48 kHz stereo. */
function readByFfmpeg(bytes: Buffer): Buffer {
  return made('a.raw', ['-f', 's16le', '-ar', '48000', '-ac', '2'], bytes);
}

const FORMATS: readonly (readonly [EncodeFormat, string, number])[] = [
  ['mp3', 'mp3', 44100],
  ['aac', 'aac', 44100],
  ['flac', 'flac', 44100],
  ['ogg-opus', 'ogg', 48000],
  ['wav', 'wav', 44100],
];

void describe('encoding to', { skip: skipWithoutFfmpeg }, () => {
  for (const [format, encoding, rate] of FORMATS) {
    void test(`${format}: others read it, each piece tells its sound, all together exactly what went in`, async () => {
      const data = tones(CD, 4);
      const out = await encode({ format }, framesOf(CD, data, 882));
      const pcm = readByFfmpeg(bytesOf(out));
      assert.ok(Math.abs(pcm.length / 4 - 4 * 48000) < 3000, `${pcm.length / 4} samples`);
      for (const [channel, hz] of [440, 1000].entries()) {
        const tone = measureTone(channelOf(pcm, 2, channel), { hz, sampleRate: 48000 }, 48000, 144_000);
        assert.ok(Math.abs(tone.amplitude - 10000 / 32768) < 0.02, `${hz} Hz: ${tone.amplitude}`);
      }
      assert.ok(out.length >= 2, `${out.length} pieces`);
      let position = Math.round((START * rate) / 44100);
      for (const frame of out) {
        assert.deepEqual(frame.format, { encoding, sampleRate: rate, channels: 2 });
        assert.equal(frame.position, position);
        assert.equal(frame.gap, 0);
        const time = START_TIME + ((position - (START * rate) / 44100) * 1000) / rate;
        assert.ok(Math.abs(frame.time - time) < 0.05);
        position += frame.samples;
      }
      assert.equal(position, Math.round(((START + 4 * 44100) * rate) / 44100));
    });
  }

  void test('any rate, mono and stereo, s16 and f32: at the rate that the format has', async () => {
    for (const [sampleRate, wanted] of [
      [8000, 8000],
      [96000, 48000],
    ] as const) {
      const from: PcmFormat = { encoding: 's16le', sampleRate, channels: 1 };
      const out = await encode(
        { format: 'mp3', bitrate: 64000 },
        framesOf(from, tones(from, 1), sampleRate / 50),
      );
      assert.equal(out[0]?.format.sampleRate, wanted);
      assert.equal(
        out.reduce((sum, { samples }) => sum + samples, 0),
        wanted,
      );
    }
  });

  void test('FLAC loses nothing', async () => {
    const data = tones(CD, 2);
    const out = await encode({ format: 'flac' }, framesOf(CD, data, 1000));
    assert.ok((await decode(bytesOf(out))).data.equals(data));
  });

  void test('MP3 leaves while sound still comes', async () => {
    let hear: () => void = () => undefined;
    const heard = new Promise<void>((resolve) => {
      hear = resolve;
    });
    const encoding = new Encoding({ format: 'mp3' }, () => hear());
    for (const frame of framesOf(CD, tones(CD, 2), 882)) await encoding.write(frame);
    await heard;
    await encoding.abort();
  });
});

void test(
  'a short hole becomes silence, a long one is told as gap',
  { skip: skipWithoutFfmpeg },
  async () => {
    const frames = framesOf(CD, tones(CD, 2), 882);
    const after = (index: number, gap: number): PcmFrame[] =>
      frames
        .slice(index)
        .map((frame, i) => ({ ...frame, position: frame.position + gap, gap: i === 0 ? gap : 0 }));
    const short = await encode({ format: 'flac' }, [...frames.slice(0, 50), ...after(50, 4410)]);
    assert.equal((await decode(bytesOf(short))).samples, 2 * 44100 + 4410);
    const long = await encode({ format: 'wav' }, [...frames.slice(0, 50), ...after(50, 441_000)]);
    assert.equal((await decode(bytesOf(long))).samples, 2 * 44100);
    assert.equal(
      long.reduce((sum, { gap }) => sum + gap, 0),
      441_000,
    );
  },
);

void test('sound is counted the same however the bytes are cut', { skip: skipWithoutFfmpeg }, () => {
  const raw = ['-write_xing', '0', '-id3v2_version', '0'];
  for (const [format, file, samples] of [
    ['mp3', made('a.mp3', raw), 116 * 1152],
    ['aac', made('a.aac', []), 131 * 1024],
    ['flac', made('a.flac', ['-frame_size', '4096']), 33 * 4096],
  ] as const) {
    for (const piece of [1, 13, 4096, file.length]) {
      const counter = frameCounter(format);
      let count = 0;
      for (let at = 0; at < file.length; at += piece) count += counter.push(file.subarray(at, at + piece));
      assert.equal(count, samples, `${format} in pieces of ${piece}`);
      assert.equal(counter.sampleRate, 44100);
    }
  }
});
