/** What people send by mistake: one error that says why, nothing emitted, nothing left running. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, test } from 'node:test';
import { Decoding, type DecodedSound } from '../../../src/convert/decoding';
import { systemDependencies } from '../../../src/convert/engine';
import { indexFirst, mp4Length } from '../../../src/convert/mp4';
import { ConversionPool } from '../../../src/convert/pool';
import { childrenOf, openHandles, untilNoChild } from '../../convert/support/children';
import { CD, decode, made, skipWithoutFfmpeg, wavFile } from '../../convert/support/files';

const IMAGE = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=5:duration=1'];

/** A ZIP archive of one file: the local header and the deflated bytes. */
function zip(): Buffer {
  const content = deflateRawSync(Buffer.alloc(20_000, 'some text '));
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(content.length, 18);
  header.writeUInt32LE(20_000, 22);
  header.writeUInt16LE(5, 26);
  return Buffer.concat([header, Buffer.from('a.mp3'), content]);
}

void describe('nothing but an error comes of', { skip: skipWithoutFfmpeg }, () => {
  const files: readonly (readonly [string, () => Buffer, RegExp])[] = [
    [
      'a text file',
      () => Buffer.from('This is no sound, said the file.\n'.repeat(500)),
      /can not read this as sound/,
    ],
    ['one byte', () => Buffer.from('x'), /can not read this as sound/],
    ['a JPEG', () => made('a.jpg', ['-map', '1:v', '-frames:v', '1'], undefined, IMAGE), /no sound/],
    ['a ZIP archive', zip, /can not read this as sound/],
    ['a film without sound', () => made('a.mp4', ['-map', '1:v'], undefined, IMAGE), /no sound/],
    ['10 MB of zeros', () => Buffer.alloc(10_000_000), /can not read this as sound/],
    [
      'a WAV header without sound',
      () => wavFile(CD, Buffer.alloc(0)).subarray(0, 40),
      /can not read this as sound/,
    ],
    [
      'an Ogg page and then rubbish',
      () => Buffer.concat([made('a.opus', []).subarray(0, 60), randomBytes(5000)]),
      /./,
    ],
  ];
  for (const [name, file, reason] of files) {
    void test(name, async () => {
      const bytes = file();
      for (const pieceBytes of [undefined, 4000]) {
        const { sounds, error } = await decode(bytes, {}, pieceBytes);
        assert.equal(error?.code, 'ORGO_BAD_INPUT');
        assert.match(error.message, reason);
        assert.equal(sounds.length, 0);
      }
      await untilNoChild();
    });
  }

  void test('100 MB of noise', async () => {
    const { sounds, error } = await decode(randomBytes(100_000_000));
    assert.equal(error?.code, 'ORGO_BAD_INPUT');
    assert.equal(sounds.length, 0);
  });

  void test('a playlist that names a file of this machine', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'orgo-playlist-'));
    try {
      const secret = join(directory, 'secret.aac');
      writeFileSync(secret, made('a.aac', []));
      const hls = `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://${secret}\n#EXT-X-ENDLIST\n`;
      for (const list of [
        hls,
        `ffconcat version 1.0\nfile ${secret}\n`,
        `v=0\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n`,
      ]) {
        const { sounds, error } = await decode(Buffer.from(list));
        assert.equal(error?.code, 'ORGO_BAD_INPUT');
        assert.equal(sounds.length, 0);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

void describe('as much as there is comes of', { skip: skipWithoutFfmpeg }, () => {
  void test('an MP3 that is cut off in the middle, and one that begins in the middle', async () => {
    const file = made('a.mp3', ['-b:a', '128k']);
    const cut = await decode(file.subarray(0, file.length / 2));
    assert.equal(cut.error, undefined);
    assert.ok(Math.abs(cut.samples - 66150) < 3 * 1152, String(cut.samples));
    const tail = await decode(file.subarray(file.length / 2 + 100));
    assert.equal(tail.error, undefined);
    assert.ok(Math.abs(tail.samples - 66150) < 4 * 1152, String(tail.samples));
  });

  void test('an MP4 that is cut off: its index tells the length that is no longer there', async () => {
    const file = made('a.m4a', ['-movflags', '+faststart', '-b:a', '192k']);
    const { samples } = await decode(file.subarray(0, file.length * 0.6));
    assert.ok(samples > 44100 && samples < 110_000, String(samples));
  });

  void test('a MP4 whose numbers are damaged anywhere: it ends, with or without sound', () => {
    const file = made('a.m4a', []);
    const moov = file.indexOf('moov');
    for (let at = moov + 8; at < file.length - 4; at += 97) {
      const damaged = Buffer.from(file);
      damaged.writeUInt32BE(0xfffffff0, at);
      // Only our own reading of it is of interest here; ffmpeg would need a second for each.
      assert.ok(indexFirst(damaged).length >= 1);
      const length = mp4Length(damaged)?.samples ?? 1;
      assert.ok(Number.isFinite(length) && length > 0);
    }
  });

  void test('a WAV of another codec, by its content and not by its name', async () => {
    const inWav = await decode(made('a.wav', ['-c:a', 'libmp3lame']));
    assert.equal(inWav.error, undefined);
    assert.ok(inWav.samples > 132_000 && inWav.samples < 136_000);
  });
});

void test(
  'two files interleaved on two streams do not touch each other',
  { skip: skipWithoutFfmpeg },
  async () => {
    const files = [made('a.mp3', ['-ar', '24000']), made('b.flac', [])];
    const alone = [await decode(files[0]!), await decode(files[1]!)];
    const sounds: DecodedSound[][] = [[], []];
    const both = files.map((_, i) => new Decoding({}, (sound) => void sounds[i]!.push(sound)));
    for (let at = 0; at < Math.max(...files.map(({ length }) => length)); at += 3000)
      for (const [i, decoding] of both.entries()) await decoding.write(files[i]!.subarray(at, at + 3000));
    assert.deepEqual(await Promise.all(both.map((decoding) => decoding.finish())), [undefined, undefined]);
    for (const i of [0, 1])
      assert.ok(Buffer.concat(sounds[i]!.map(({ frame }) => frame.data)).equals(alone[i]!.data));
  },
);

void test(
  '20 files at once: never more children than places, all come out whole',
  { skip: skipWithoutFfmpeg },
  async () => {
    const file = made('a.mp3', []);
    const dependencies = { ...systemDependencies, pool: new ConversionPool(3) };
    let most = 0;
    const looking = setInterval(() => (most = Math.max(most, childrenOf(process.pid).length)), 5);
    const all = await Promise.all(
      Array.from({ length: 20 }, () => decode(file, {}, undefined, dependencies)),
    );
    clearInterval(looking);
    assert.ok(most >= 1 && most <= 3, `${most} children`);
    for (const { samples, error } of all) {
      assert.equal(error, undefined);
      assert.equal(samples, 132_300);
    }
  },
);

void test('files in a row leave no child and no handle', { skip: skipWithoutFfmpeg }, async () => {
  const file = made('a.mp3', ['-t', '0.2']);
  await decode(file);
  const before = openHandles();
  for (let i = 0; i < 20; i++) {
    assert.equal((await decode(file)).samples, 8820);
    const broken = new Decoding({}, () => undefined);
    await broken.write(file);
    await broken.abort();
  }
  await untilNoChild();
  assert.ok(openHandles() <= before, `${openHandles()} handles, ${before} before`);
});
