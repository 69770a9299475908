/** Ogg and WebM that other people's programs wrote, and Ogg that is cut in unusual ways. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AudioFrame, PcmFrame } from '../../../src/audio/frame';
import { ContainerDecoder } from '../../../src/containers/container-decoder';
import { writePage } from '../../../src/containers/ogg-page';
import {
  bytesOf,
  decode,
  encode,
  firstPage,
  isLike,
  packetsOf,
  spanningPages,
  STEREO,
} from '../../containers/support/ogg';
import { cut, firstChannel, frameOf, sweep, totalSamples } from '../../opus/support/sound';
import { needs } from '../../support/needs';
import { runWith } from '../../opus/support/tools';

void describe('a stream that is read', () => {
  const data = sweep(STEREO, 3000);
  const raw = { 'a.raw': data };
  const made = (args: string[], name: string): Buffer =>
    runWith(
      raw,
      [
        'ffmpeg',
        '-v',
        'error',
        '-f',
        's16le',
        '-ar',
        '48000',
        '-ac',
        '2',
        '-i',
        'a.raw',
        '-b:a',
        '128k',
        ...args,
        name,
      ],
      ({ status, text }, file) => {
        assert.equal(status, 0, text);
        return file(name);
      },
    );
  const opusenc = (...args: string[]): Buffer =>
    runWith(
      raw,
      ['opusenc', '--quiet', '--raw', '--raw-rate', '48000', ...args, 'a.raw', 'a.opus'],
      ({ status, text }, file) => {
        assert.equal(status, 0, text);
        return file('a.opus');
      },
    );

  void test('from opusenc: as many samples as went in, however the bytes are cut', needs('opusenc'), () => {
    const file = opusenc();
    const whole = decode(file);
    assert.equal(totalSamples(whole), data.length / 4);
    assert.equal(whole[0]?.position, 0);
    isLike(STEREO, data, whole);
    for (const cutAt of [1, 27, 1000, 4096]) assert.deepEqual(bytesOf(decode(file, cutAt)), bytesOf(whole));
  });

  void test('with tags that span pages, packets that span pages, and 60 ms frames', needs('opusenc'), () => {
    const file = opusenc('--framesize', '60', '--bitrate', '256', '--comment', `LONG=${'x'.repeat(100_000)}`);
    assert.equal(totalSamples(decode(file, 777)), data.length / 4);
    isLike(STEREO, data, decode(file));
  });

  for (const [name, args] of [
    ['a.webm', []],
    ['a.mkv', []],
    ['live.webm', ['-f', 'webm', '-live', '1', '-cluster_time_limit', '100']],
    ['a.ogg', ['-c:a', 'libopus', '-page_duration', '20000']],
    ['mono.webm', ['-ac', '1', '-frame_duration', '60']],
  ] as [string, string[]][]) {
    void test(`${name} from ffmpeg: as many samples as went in`, needs('ffmpeg'), () => {
      const file = made(['-c:a', 'libopus', ...args], name);
      const channels = name.startsWith('mono') ? 1 : 2;
      const whole = decode(file);
      assert.equal(totalSamples(whole), data.length / 4);
      assert.equal(whole[0]?.format.channels, channels);
      if (channels === 2) isLike(STEREO, data, whole);
      assert.deepEqual(bytesOf(decode(file, 13)), bytesOf(whole));
    });
  }

  void test('with packets that span pages, and one of the pages lost', () => {
    const source = encode(cut(STEREO, data, [960]), { frameMs: 60, bitrate: 256000 });
    const packets = packetsOf(bytesOf(source));
    const pages = spanningPages(bytesOf(source), packets, 5);
    assert.deepEqual(packetsOf(Buffer.concat(pages)), packets);
    assert.deepEqual(bytesOf(decode(Buffer.concat(pages), 333)), bytesOf(decode(bytesOf(source))));
    const known = new Set(packets.map((packet) => packet.toString('hex')));
    for (let lost = 2; lost < pages.length; lost++) {
      const left = packetsOf(Buffer.concat(pages.filter((_, index) => index !== lost)));
      assert.ok(left.length >= packets.length - 3);
      for (const packet of left) assert.ok(known.has(packet.toString('hex')), `without page ${lost}`);
    }
  });

  void test('with its output gain', needs('opusenc'), () => {
    const file = opusenc('--bitrate', '128');
    const found = firstPage(file);
    const head = Buffer.from(found.page.body);
    head.writeInt16LE(-6 * 256, 16);
    const quiet = Buffer.concat([writePage(found.page, [head]), file.subarray(found.length)]);
    const level = (frames: PcmFrame[]): number => Math.hypot(...firstChannel(frames).slice(4800, 9600));
    assert.ok(Math.abs(20 * Math.log10(level(decode(quiet)) / level(decode(file))) + 6) < 0.1);
  });
});

void describe('Ogg and WebM without Opus', () => {
  const ogg = (data: Buffer): AudioFrame<'ogg'> => ({
    format: { encoding: 'ogg', sampleRate: 48000, channels: 2 },
    ...{ data, samples: 0, position: 0, time: 0, gap: 0, latencyMs: 0 },
  });
  for (const [codec, args] of [
    ['Vorbis', ['-c:a', 'libvorbis', 'a.ogg']],
    ['FLAC', ['-c:a', 'flac', 'a.ogg']],
    ['A_VORBIS', ['-c:a', 'libvorbis', 'a.webm']],
  ] as const) {
    void test(`${codec} is refused by name, and a file after it is decoded`, needs('ffmpeg'), () => {
      const source = ['-f', 'lavfi', '-i', 'sine=duration=1'];
      const other = runWith({}, ['ffmpeg', '-v', 'error', ...source, ...args], ({ text }, read) => {
        assert.equal(text, '');
        return read(args[2]);
      });
      const decoder = new ContainerDecoder();
      assert.throws(() => decoder.push(ogg(other)), {
        name: 'OrgoError',
        code: 'ORGO_BAD_INPUT',
        message: new RegExp(`holds ${codec}`),
      });
      const file = bytesOf(encode([frameOf(STEREO, sweep(STEREO, 1000))]));
      assert.equal(totalSamples([...decoder.push(ogg(file)), ...decoder.flush()]), 48000);
    });
  }
});
