/** Ogg Opus that is written: right by other people's programs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpusEncoder } from '../../../src/opus/encoder';
import { OggEncoder } from '../../../src/containers/ogg-encoder';
import { OggWriter } from '../../../src/containers/ogg-writer';
import type { OpusEncoderSettings } from '../../../src/opus/settings';
import { bytesOf, decode, encode, firstPage, isLike, STEREO } from '../../containers/support/ogg';
import {
  cut,
  firstChannel,
  frameOf,
  lagOf,
  s16,
  START_TIME,
  sweep,
  totalSamples,
} from '../../opus/support/sound';
import { needs } from '../../support/needs';
import { runWith } from '../../opus/support/tools';

const TOOLS = needs('opusinfo', 'ffprobe', 'opusdec');

void describe('an Ogg stream that is written', () => {
  for (const settings of [
    {},
    { frameMs: 2.5, bitrate: 192000 },
    { frameMs: 60, application: 'voip' },
    { application: 'lowdelay', frameMs: 10, bitrate: 510000 },
  ] as Partial<OpusEncoderSettings>[]) {
    for (const samples of [48000, 48000 + 777, 1, 960 * 5]) {
      void test(
        `${JSON.stringify(settings)}, ${samples} samples: opusinfo, ffprobe and opusdec agree`,
        TOOLS,
        () => {
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
        },
      );
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
          const found = firstPage(rest);
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

  void test(
    'ends before a longer gap, a change of format or of application, and another is chained to it',
    TOOLS,
    () => {
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
    },
  );

  void test('holds packets that came from elsewhere, and stand-ins for those that are missing', TOOLS, () => {
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
