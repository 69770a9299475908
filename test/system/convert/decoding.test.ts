/** Files of every kind to PCM: exact counts, whole and in pieces, as they are and as asked for. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PcmFormat } from '../../../src/audio/format';
import { Decoding, type DecodedSound } from '../../../src/convert/decoding';
import { channelOf, measureTone } from '../../support/tone';
import { CD, decode, made, skipWithoutFfmpeg, tones, wavFile } from '../../convert/support/files';

const SECONDS = 3;
const SAMPLES = SECONDS * CD.sampleRate;

/** Name, ffmpeg's arguments, samples that come out: the codec's own where the container does not tell its padding. */
const FILES: readonly (readonly [string, readonly string[], number])[] = [
  ['cbr.mp3', ['-b:a', '128k'], SAMPLES],
  ['vbr.mp3', ['-q:a', '2'], SAMPLES],
  ['a.flac', [], SAMPLES],
  ['vorbis.ogg', ['-c:a', 'libvorbis'], SAMPLES],
  ['a.aiff', [], SAMPLES],
  ['alaw.wav', ['-c:a', 'pcm_alaw'], SAMPLES],
  ['pcm24.wav', ['-c:a', 'pcm_s24le'], SAMPLES],
  ['front.m4a', ['-movflags', '+faststart'], SAMPLES],
  ['adts.aac', [], 131 * 1024],
];

void describe('a file of', { skip: skipWithoutFfmpeg }, () => {
  for (const [name, args, samples] of FILES) {
    void test(`${name}: exactly its samples, the same whole and in pieces`, async () => {
      const file = made(name, args);
      const whole = await decode(file);
      assert.equal(whole.error, undefined);
      assert.equal(whole.samples, samples);
      assert.equal(whole.shape, '44100/2');
      const pieces = await decode(file, {}, 1000);
      assert.deepEqual(pieces.error, undefined);
      assert.ok(pieces.data.equals(whole.data));
    });
  }

  void test('MP4 with its index at its end: read whole, its sound where it belongs', async () => {
    const long = tones(CD, 30);
    const file = made('a.m4a', ['-b:a', '256k'], wavFile(CD, long));
    assert.ok(file.indexOf('moov') > file.indexOf('mdat'));
    const { samples, data, error } = await decode(file);
    assert.equal(error, undefined);
    assert.equal(samples, 30 * CD.sampleRate);
    const tone = { hz: 440, sampleRate: 44100 };
    const [from, to] = [44100 * 10, 44100 * 20];
    const phase = (pcm: Buffer): number => measureTone(channelOf(pcm, 2), tone, from, to).phase;
    assert.ok(Math.abs(phase(data) - phase(long)) < 0.01);
  });

  void test('MP3, whose delay is taken off: each sample is where it was', async () => {
    const { data } = await decode(made('a.mp3', ['-b:a', '320k']));
    const tone = { hz: 440, sampleRate: 44100 };
    const was = measureTone(channelOf(tones(CD, SECONDS), 2), tone, 44100, 88200);
    const is = measureTone(channelOf(data, 2), tone, 44100, 88200);
    assert.ok(Math.abs(was.phase - is.phase) < 0.01, `${was.phase} ${is.phase}`);
    assert.ok(Math.abs(was.amplitude / is.amplitude - 1) < 0.01);
  });

  void test('a film with sound: the sound', async () => {
    const picture = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10:duration=3'];
    for (const name of ['film.mp4', 'film.mkv']) {
      const { samples, error } = await decode(made(name, ['-shortest'], undefined, picture));
      assert.equal(error, undefined);
      assert.ok(Math.abs(samples - SAMPLES) < 2048, `${name}: ${samples}`);
    }
  });

  void test('MP3 with a large cover picture before its sound, in pieces: exact', async () => {
    const file = made('a.mp3', ['-id3v2_version', '0']);
    const cover = Buffer.alloc(300_000, 1);
    const tag = Buffer.from('494433030000000000004150494300000000 0000'.replace(' ', ''), 'hex');
    tag.writeUInt32BE(cover.length, 14);
    const size = cover.length + 10;
    for (let i = 0; i < 4; i++) tag.writeUInt8((size >>> (7 * (3 - i))) & 0x7f, 6 + i);
    const { samples, error } = await decode(Buffer.concat([tag, cover, file]), {}, 4096);
    assert.equal(error, undefined);
    assert.equal(samples, SAMPLES);
  });
});

void describe('what comes out', { skip: skipWithoutFfmpeg }, () => {
  void test('is of the rate, the channels and the encoding that are set', async () => {
    const file = made('a.flac', []);
    for (const sampleRate of [16000, 24000, 48000] as const) {
      const { samples, shape, sounds } = await decode(file, { sampleRate, channels: 1, encoding: 'f32le' });
      assert.equal(shape, `${sampleRate}/1`);
      assert.equal(samples, SECONDS * sampleRate);
      assert.equal(sounds[0]?.frame.format.encoding, 'f32le');
    }
  });

  void test('is in frames of exactly frameMs, at the positions where the last one ended', async () => {
    const { sounds } = await decode(made('a.mp3', []), { frameMs: 40 });
    let position = 0;
    for (const [index, { frame, isTimed }] of sounds.entries()) {
      assert.equal(frame.position, position);
      assert.equal(frame.gap, 0);
      assert.equal(isTimed, false);
      if (index < sounds.length - 1) assert.equal(frame.samples, 1764);
      assert.equal(frame.data.length, frame.samples * 4);
      position += frame.samples;
    }
    assert.equal(position, SAMPLES);
  });

  void test('has no aliases: 8.8 kHz is not heard at 16 kHz', async () => {
    const mono: PcmFormat = { encoding: 's16le', sampleRate: 48000, channels: 1 };
    const data = Buffer.alloc(48000 * 2 * 2);
    for (let i = 0; i * 2 < data.length; i++)
      data.writeInt16LE(Math.round(16000 * Math.sin((2 * Math.PI * 8800 * i) / 48000)), i * 2);
    const { data: out } = await decode(made('a.flac', [], wavFile(mono, data)), { sampleRate: 16000 });
    const { amplitude } = measureTone(channelOf(out, 1), { hz: 7200, sampleRate: 16000 }, 8000, 24000);
    assert.ok(20 * Math.log10(amplitude / (16000 / 32768)) < -80, `${20 * Math.log10(amplitude * 2)} dB`);
  });

  void test('is two channels of eight, and 192 kHz of 192 kHz', async () => {
    const fast: PcmFormat = { encoding: 's16le', sampleRate: 192_000, channels: 1 };
    const high = await decode(made('a.flac', [], wavFile(fast, tones(fast, 1))));
    assert.equal(high.shape, '192000/1');
    assert.equal(high.samples, 192_000);
    const eight = await decode(made('a.wav', ['-af', 'pan=7.1|c0=c0|c1=c1|c4=c0|c5=c1', '-ar', '48000']));
    assert.equal(eight.error, undefined);
    assert.equal(eight.shape, '48000/2');
    assert.equal(eight.samples, SECONDS * 48000);
    assert.ok(
      measureTone(channelOf(eight.data, 2), { hz: 440, sampleRate: 48000 }, 4800, 48000).amplitude > 0.1,
    );
  });

  void test('keeps its rate where a radio joins files of two rates', async () => {
    const joined = Buffer.concat([
      made('a.mp3', ['-ar', '44100']),
      made('b.mp3', ['-ar', '48000', '-ac', '1']),
    ]);
    const { samples, shape } = await decode(joined, {}, 2000);
    assert.equal(shape, '44100/2');
    assert.ok(samples > 1.9 * SAMPLES && samples < 2.1 * SAMPLES, String(samples));
  });
});

void test('a radio sounds while its pieces still come', { skip: skipWithoutFfmpeg }, async () => {
  const file = made('a.mp3', ['-b:a', '128k']);
  // From the middle of a frame on, as one who tunes in gets it.
  let hear: (sound: DecodedSound) => void = () => undefined;
  const heard = new Promise<DecodedSound>((resolve) => {
    hear = resolve;
  });
  const decoding = new Decoding({}, (sound) => hear(sound));
  await decoding.write(file.subarray(12_345, 12_345 + 16_000));
  assert.equal((await heard).frame.position, 0);
  await decoding.abort();
  assert.equal(await decoding.ended, undefined);
});

void test('live pieces carry their time, a recording has none', { skip: skipWithoutFfmpeg }, async () => {
  const file = made('a.aac', []);
  const sounds: DecodedSound[] = [];
  const decoding = new Decoding({}, (sound) => void sounds.push(sound));
  await decoding.write(file.subarray(0, 20_000), { time: 5000, elapsedMs: 777 });
  // The sender's clock is 10 ms further than its samples.
  await decoding.write(file.subarray(20_000), { time: 6010, elapsedMs: 1000 });
  await decoding.finish();
  for (const { frame, isTimed } of sounds) {
    assert.ok(isTimed);
    const ms = (frame.position * 1000) / 44100;
    assert.ok(Math.abs(frame.time - (ms < 1000 ? 5000 : 5010) - ms) < 0.01, `${frame.time} at ${ms}`);
  }
});

/** Fails where ffmpeg is looked for. */
const dependencies = {
  clock: { now: () => 0, epochOffset: () => 0, after: () => () => undefined },
  pool: { limit: 0, queued: 0, enter: () => assert.fail('a place was asked for') } as never,
  findFfmpeg: () => assert.fail('ffmpeg was looked for'),
};

void test('Ogg Opus and WebM Opus are decoded, to the sample', { skip: skipWithoutFfmpeg }, async () => {
  for (const name of ['a.opus', 'a.webm']) {
    const file = made(name, ['-c:a', 'libopus']);
    const whole = await decode(file, {}, undefined, dependencies);
    assert.equal(whole.error, undefined);
    assert.equal(whole.shape, '48000/2');
    assert.equal(whole.samples, SECONDS * 48000);
    assert.ok((await decode(file, {}, 100, dependencies)).data.equals(whole.data));
    const converted = await decode(file, { sampleRate: 44100, channels: 1 }, 5000, dependencies);
    assert.equal(converted.samples, SAMPLES);
  }
});
