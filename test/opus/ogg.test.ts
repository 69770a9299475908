/** Ogg Opus: what is written is right by other people's programs, and what they write is read. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PcmFormat } from '../../src/audio/format';
import type { AudioFrame, PcmFrame } from '../../src/audio/frame';
import { ContainerDecoder } from '../../src/opus/container-decoder';
import { OpusEncoder } from '../../src/opus/encoder';
import { OggEncoder } from '../../src/opus/ogg-encoder';
import { readPage, writePage } from '../../src/opus/ogg-page';
import { OggWriter, type OggFrame } from '../../src/opus/ogg-writer';
import type { OpusEncoderSettings } from '../../src/opus/settings';
import { cut, firstChannel, frameOf, lagOf, s16, START_TIME, sweep, totalSamples } from './support/sound';
import { runWith } from './support/tools';

const STEREO = s16(48000, 2);

function encode(
  frames: readonly PcmFrame[],
  settings: Partial<OpusEncoderSettings> = {},
  encoder = new OggEncoder(settings, undefined, () => 0.25),
): OggFrame[] {
  return [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.flush()];
}

function bytesOf(frames: readonly { data: Buffer }[]): Buffer {
  return Buffer.concat(frames.map((frame) => frame.data));
}

function oggFrame(data: Buffer): AudioFrame<'ogg'> {
  const format = { encoding: 'ogg', sampleRate: 48000, channels: 2 } as const;
  return { format, data, samples: 0, position: 0, time: START_TIME, gap: 0, latencyMs: 0 };
}

function decode(file: Buffer, cutAt = file.length, options = {}): PcmFrame[] {
  const decoder = new ContainerDecoder(options);
  const out: PcmFrame[] = [];
  for (let at = 0; at < file.length; at += cutAt)
    out.push(...decoder.push(oggFrame(file.subarray(at, at + cutAt))));
  return [...out, ...decoder.flush()];
}

function isLike(format: PcmFormat, data: Buffer, decoded: readonly PcmFrame[]): void {
  const { lag, correlation } = lagOf(firstChannel([frameOf(format, data)]), firstChannel(decoded), 30);
  assert.equal(lag, 0);
  assert.ok(correlation > 0.97, `correlation ${correlation}`);
}

void describe('an Ogg stream that is written', () => {
  for (const settings of [
    {},
    { frameMs: 2.5, bitrate: 192000 },
    { frameMs: 60, application: 'voip' },
    { application: 'lowdelay', frameMs: 10, bitrate: 510000 },
  ] as Partial<OpusEncoderSettings>[]) {
    for (const samples of [48000, 48000 + 777, 1, 960 * 5]) {
      void test(`${JSON.stringify(settings)}, ${samples} samples: opusinfo, ffprobe and opusdec agree`, () => {
        const data = sweep(STEREO, 1100).subarray(0, samples * 4);
        const file = bytesOf(encode(cut(STEREO, data, [960]), settings));
        runWith({ 'a.opus': file }, ['opusinfo', 'a.opus'], ({ status, text }) => {
          assert.equal(status, 0, text);
          assert.doesNotMatch(text, /warn|error|hole|negative|missing/i);
          assert.match(text, /Logical stream 1 ended/);
        });
        runWith(
          { 'a.opus': file },
          [
            'ffprobe',
            '-v',
            'warning',
            '-count_packets',
            '-show_entries',
            'stream=codec_name,channels',
            '-of',
            'csv',
            'a.opus',
          ],
          ({ text }) => {
            assert.equal(text.trim(), 'stream,opus,2');
          },
        );
        runWith(
          { 'a.opus': file },
          ['opusdec', '--quiet', '--no-dither', '--force-wav', 'a.opus', 'a.wav'],
          ({ status, text }, read) => {
            assert.equal(status, 0, text);
            assert.equal((read('a.wav').length - 44) / 4, samples);
          },
        );
        const decoded = decode(file);
        assert.equal(totalSamples(decoded), samples);
        if (samples > 48000) isLike(STEREO, data, decoded);
      });
    }
  }

  void test('leaves in pages of at most 100 ms, each once, at its place', () => {
    for (const frameMs of [2.5, 20, 40, 60] as const) {
      const frames = encode(cut(STEREO, sweep(STEREO, 1003), [441]), { frameMs });
      let granule = 0n;
      let position = 0;
      for (const [index, frame] of frames.entries()) {
        let rest = frame.data;
        const pages = [];
        while (rest.length > 0) {
          const found = readPage(rest);
          assert.ok(typeof found === 'object');
          pages.push(found.page);
          rest = rest.subarray(found.length);
        }
        assert.equal(pages.length, index === 0 ? 3 : 1);
        const page = pages.at(-1);
        assert.ok(page && page.granule - granule <= 4800n);
        assert.equal(page.last, index === frames.length - 1);
        granule = page.granule;
        assert.equal(frame.position, position);
        assert.equal(frame.time, START_TIME + position / 48);
        position += frame.samples;
      }
      assert.equal(position, 48144);
    }
  });

  void test('goes out as soon as it is full', () => {
    const encoder = new OggEncoder();
    const frames = cut(STEREO, sweep(STEREO, 400), [960]);
    assert.deepEqual(
      frames.map((frame) => encoder.push(frame).length),
      frames.map((_, index) => (index % 5 === 4 ? 1 : 0)),
    );
  });

  void test('holds silence where up to 2 s are missing, so that all else stays at its time', () => {
    const data = sweep(STEREO, 2000);
    const [first, second] = [data.subarray(0, 30000 * 4), data.subarray(40001 * 4)];
    const frames = [frameOf(STEREO, first), frameOf(STEREO, second, 40001, 10001)];
    const decoded = decode(bytesOf(encode(frames)));
    assert.equal(totalSamples(decoded), 96000);
    const late = firstChannel(decoded).slice(50000);
    assert.equal(lagOf(firstChannel([frameOf(STEREO, data)]).slice(50000), late, 30).lag, 0);
  });

  void test('ends before a longer gap, a change of format or of application, and another is chained to it', () => {
    const data = sweep(STEREO, 500);
    const mono = s16(16000, 1);
    const encoder = new OggEncoder();
    const file = bytesOf([
      ...encoder.push(frameOf(STEREO, data)),
      ...encoder.push(frameOf(STEREO, data, 24000 + 96001, 96001)),
      ...encoder.push(frameOf(mono, sweep(mono, 500), 0)),
      ...encoder.configure({ application: 'lowdelay' }),
      ...encoder.push(frameOf(mono, sweep(mono, 500), 8000)),
      ...encoder.flush(),
    ]);
    runWith({ 'a.opus': file }, ['opusinfo', 'a.opus'], ({ status, text }) => {
      assert.equal(status, 0, text);
      assert.doesNotMatch(text, /warn|error|hole/i);
      assert.match(text, /Logical stream 4 ended/);
    });
    const decoded = decode(file, 100, { channels: 2 });
    assert.equal(totalSamples(decoded), 96000);
  });

  void test('holds packets that came from elsewhere, and stand-ins for those that are missing', () => {
    const encoder = new OpusEncoder();
    const packets = cut(STEREO, sweep(STEREO, 1000), [960]).flatMap((frame) => encoder.push(frame));
    const kept = packets.flatMap((packet, index) =>
      index === 20 || index === 21 ? [] : [{ ...packet, gap: index === 22 ? 1920 : 0 }],
    );
    const writer = new OggWriter();
    const file = bytesOf([...kept.flatMap((packet) => writer.push(packet)), ...writer.flush()]);
    runWith({ 'a.opus': file }, ['opusinfo', 'a.opus'], ({ status, text }) => {
      assert.equal(status, 0, text);
      assert.doesNotMatch(text, /warn|error|hole/i);
    });
    assert.equal(totalSamples(decode(file)), 48000 - 312);
  });
});

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

  void test('from opusenc: as many samples as went in, however the bytes are cut', () => {
    const file = opusenc();
    const whole = decode(file);
    assert.equal(totalSamples(whole), data.length / 4);
    assert.equal(whole[0]?.position, 0);
    isLike(STEREO, data, whole);
    for (const cutAt of [1, 27, 1000, 4096]) assert.deepEqual(bytesOf(decode(file, cutAt)), bytesOf(whole));
  });

  void test('with tags that span pages, packets that span pages, and 60 ms frames', () => {
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
    void test(`${name} from ffmpeg: as many samples as went in`, () => {
      const file = made(['-c:a', 'libopus', ...args], name);
      const channels = name.startsWith('mono') ? 1 : 2;
      const whole = decode(file);
      assert.equal(totalSamples(whole), data.length / 4);
      assert.equal(whole[0]?.format.channels, channels);
      if (channels === 2) isLike(STEREO, data, whole);
      assert.deepEqual(bytesOf(decode(file, 13)), bytesOf(whole));
    });
  }

  void test('with its output gain', () => {
    const file = opusenc('--bitrate', '128');
    const found = readPage(file);
    assert.ok(typeof found === 'object');
    const head = Buffer.from(found.page.body);
    head.writeInt16LE(-6 * 256, 16);
    const quiet = Buffer.concat([writePage(found.page, [head]), file.subarray(found.length)]);
    const level = (frames: PcmFrame[]): number => Math.hypot(...firstChannel(frames).slice(4800, 9600));
    assert.ok(Math.abs(20 * Math.log10(level(decode(quiet)) / level(decode(file))) + 6) < 0.1);
  });
});
