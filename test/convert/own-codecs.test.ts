/** What is converted without ffmpeg, and what is refused before it is asked for. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import type { AudioFrame } from '../../src/audio/frame';
import { OggWriter } from '../../src/containers/ogg-writer';
import { Decoding } from '../../src/convert/decoding';
import { Encoding } from '../../src/convert/encoding';
import { systemDependencies } from '../../src/convert/engine';
import { bytesOf, CD, decode, framesOf, tones, wavFile } from './support/files';

void describe('without ffmpeg', () => {
  const dependencies = {
    clock: { now: () => 0, epochOffset: () => 0, after: () => () => undefined },
    pool: { limit: 0, queued: 0, enter: () => assert.fail('a place was asked for') } as never,
    findFfmpeg: () => assert.fail('ffmpeg was looked for'),
  };

  void test('WAV is decoded: s16 and f32, with chunks around its sound, whole and cut anywhere', async () => {
    const data = tones(CD, 1);
    const list = Buffer.concat([Buffer.from('LIST\x06\0\0\0junk\0\0', 'latin1')]);
    const file = Buffer.concat([wavFile(CD, data), list]);
    for (const pieceBytes of [undefined, 7, 5000]) {
      const decoded = await decode(file, {}, pieceBytes, dependencies);
      assert.equal(decoded.error, undefined);
      assert.ok(decoded.data.equals(data));
      assert.equal(decoded.sounds.length, 50);
    }
    const converted = await decode(file, { sampleRate: 16000, channels: 1 }, 999, dependencies);
    assert.equal(converted.samples, 16000);
  });

  void test('a small Ogg file of hours of sound lets other work in between', async () => {
    const writer = new OggWriter(() => 0.5);
    const format = { encoding: 'opus', sampleRate: 48000, channels: 1 } as const;
    // One byte each: 60 ms of nothing, by code 0 of a 60 ms SILK frame.
    const packets = Array.from({ length: 2000 }, (_, i) =>
      writer.push({
        ...{
          format,
          data: Buffer.of(0x18),
          samples: 2880,
          position: i * 2880,
          time: 0,
          gap: 0,
          latencyMs: 0,
        },
        preSkip: 312,
      }),
    );
    const file = Buffer.concat([...packets.flat(), ...writer.flush()].map(({ data }) => data));
    let turns = 0;
    const looking = setInterval(() => turns++, 0);
    const { samples, error } = await decode(file, {}, undefined, dependencies);
    clearInterval(looking);
    assert.equal(error, undefined);
    assert.ok(samples > 115 * 48000, String(samples));
    assert.ok(turns > 50, `${turns} turns of the event loop`);
  });
});

void test('WAV and Ogg Opus need no ffmpeg', async () => {
  const clock = { now: () => 0, epochOffset: () => 0, after: () => () => undefined };
  for (const format of ['wav', 'ogg-opus'] as const) {
    const out: AudioFrame[] = [];
    const dependencies = {
      clock,
      pool: null as never,
      findFfmpeg: () => assert.fail('ffmpeg was looked for'),
    };
    const encoding = new Encoding({ format }, (frame) => void out.push(frame), dependencies);
    for (const frame of framesOf(CD, tones(CD, 1), 882)) await encoding.write(frame);
    assert.equal(await encoding.finish(), undefined);
    assert.match(bytesOf(out).toString('latin1', 0, 4), format === 'wav' ? /RIFF/ : /OggS/);
  }
  const wav = await decode(wavFile(CD, tones(CD, 1)));
  assert.equal(wav.samples, 44100);
});

void test('`complete` without a file is no error, and starts nothing', async () => {
  const dependencies = { ...systemDependencies, findFfmpeg: () => assert.fail('ffmpeg was looked for') };
  const decoding = new Decoding({}, () => assert.fail('sound came'), dependencies);
  await decoding.write(Buffer.alloc(0));
  assert.equal(await decoding.finish(), undefined);
  const encoding = new Encoding({ format: 'mp3' }, () => assert.fail('bytes came'), dependencies);
  assert.equal(await encoding.finish(), undefined);
});

void test('settings out of range are named, with what is allowed', () => {
  const refuses = (make: () => unknown, text: RegExp): void =>
    assert.throws(
      make,
      (error) => error instanceof OrgoError && error.code === 'ORGO_BAD_SETTING' && text.test(error.message),
    );
  const sink = (): void => undefined;
  refuses(() => new Decoding({ sampleRate: 7999 }, sink), /sampleRate is 7999/);
  refuses(() => new Decoding({ sampleRate: NaN }, sink), /sampleRate is NaN/);
  refuses(() => new Decoding({ channels: 3 as 2 }, sink), /channels is 3/);
  refuses(() => new Decoding({ encoding: 'mp3' as 's16le' }, sink), /encoding is "mp3"/);
  refuses(() => new Decoding({ frameMs: 0 }, sink), /frameMs is 0/);
  refuses(
    () => new Encoding({ format: '-i /etc/passwd' as 'mp3' }, sink),
    /format is -i \/etc\/passwd: it must be one of mp3/,
  );
  refuses(
    () => new Encoding({ format: 'mp3', bitrate: 320_001 }, sink),
    /bitrate is 320001: .* from 8000 to 320000/,
  );
  refuses(() => new Encoding({ format: 'aac', bitrate: 64.5 }, sink), /bitrate is 64.5/);
  refuses(
    () => new Encoding({ format: 'ogg-opus', bitrate: '1; rm' as unknown as number }, sink),
    /bitrate is 1; rm/,
  );
});

void test('sound of another format in the middle of an encoding is refused', async () => {
  const encoding = new Encoding({ format: 'wav' }, () => undefined);
  const data = tones(CD, 0.02);
  const frame = { format: CD, data, samples: 882, position: 0, time: 0, gap: 0, latencyMs: 0 };
  await encoding.write(frame);
  await assert.rejects(
    encoding.write({ ...frame, format: { ...CD, sampleRate: 48000 } }),
    /48000 Hz stereo s16le came in the middle/,
  );
});
