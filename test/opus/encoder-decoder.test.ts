/** Sound through an encoder and a decoder: the same samples at the same places, and as many. */
import assert from 'node:assert/strict';
import type { Channels } from '../../src/audio/format';
import type { PcmFrame } from '../../src/audio/frame';
import { FRAME_LENGTHS_MS } from '../../src/opus/codec';
import { OpusDecoder } from '../../src/opus/decoder';
import { OpusEncoder, type OpusFrame } from '../../src/opus/encoder';
import { parsePacket } from '../../src/opus/packet';
import { LOOKAHEAD_SAMPLES, type OpusApplication } from '../../src/opus/settings';
import { describeLibraries } from './support/libraries';
import { cut, firstChannel, frameOf, lagOf, s16, START_TIME, sweep, totalSamples } from './support/sound';

const APPLICATIONS: OpusApplication[] = ['audio', 'voip', 'lowdelay'];

function encodeAll(encoder: OpusEncoder, frames: readonly PcmFrame[]): OpusFrame[] {
  return [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.flush()];
}

function decodeAll(decoder: OpusDecoder, packets: readonly OpusFrame[]): PcmFrame[] {
  return [...packets.flatMap((packet) => decoder.push(packet)), ...decoder.flush()];
}

/** Each frame begins where the one before ended, its gap apart. */
function isSeamless(frames: readonly { position: number; samples: number; gap: number }[]): void {
  frames.reduce((end, frame) => {
    assert.equal(frame.position, end + frame.gap);
    return frame.position + frame.samples;
  }, frames[0]?.position ?? 0);
}

describeLibraries((library, { test }) => {
  for (const application of APPLICATIONS) {
    for (const frameMs of FRAME_LENGTHS_MS) {
      test(`${application}, ${frameMs} ms: what goes in comes out, at its place`, () => {
        const format = s16(48000, 2);
        const samples = 48000 + 777;
        const data = sweep(format, 1100).subarray(0, samples * 4);
        const encoder = new OpusEncoder({ application, frameMs, bitrate: 128000 }, library);
        const packets = encodeAll(encoder, cut(format, data, [960], 5000));
        for (const packet of packets) assert.equal(parsePacket(packet.data).samples, frameMs * 48);
        assert.equal(totalSamples(packets), samples);
        isSeamless(packets);
        assert.equal(packets[0]?.preSkip, LOOKAHEAD_SAMPLES[application]);
        const out = decodeAll(new OpusDecoder({ library }), packets);
        assert.equal(totalSamples(out), samples);
        isSeamless(out);
        assert.equal(out[0]?.position, 5000);
        assert.equal(out[0].time, START_TIME + 5000 / 48);
        const { lag, correlation } = lagOf(firstChannel([frameOf(format, data)]), firstChannel(out), 40);
        assert.equal(lag, 0);
        assert.ok(correlation > 0.97, `correlation ${correlation}`);
      });
    }
  }

  for (const sampleRate of [8000, 12000, 16000, 24000, 48000]) {
    test(`the look-ahead is the figure known, at ${sampleRate} Hz`, () => {
      const format = s16(sampleRate, 1);
      const data = sweep(format, 1000);
      for (const application of APPLICATIONS) {
        const packets = encodeAll(new OpusEncoder({ application }, library), [frameOf(format, data)]);
        const raw = decodeAll(
          new OpusDecoder({ library, sampleRate }),
          packets.map((packet) => ({ ...packet, preSkip: 0 })),
        );
        const known = (LOOKAHEAD_SAMPLES[application] * sampleRate) / 48000;
        const found = lagOf(firstChannel([frameOf(format, data)]), firstChannel(raw), known + 20);
        // The speech modes' high-pass filter and their own resampler move the sweep by part of a sample.
        const off = Math.abs(found.lag - known);
        assert.ok(
          off <= (application === 'voip' ? 1 : 0),
          `${application} at ${sampleRate} Hz: ${found.lag}`,
        );
      }
    });
  }

  for (const [inRate, inChannels, outRate, outChannels] of [
    [44100, 2, 48000, 1],
    [22050, 1, 44100, 2],
    [24000, 1, 48000, 2],
    [16000, 1, 16000, 1],
    [96000, 2, 48000, 2],
  ] as [number, Channels, number, Channels][]) {
    test(`${inRate} Hz, ${inChannels} channels, to ${outRate} Hz, ${outChannels} channels`, () => {
      const format = s16(inRate, inChannels);
      const position = inRate * 10;
      const encoder = new OpusEncoder({}, library);
      const packets = encodeAll(encoder, cut(format, sweep(format, 1003), [inRate / 50], position));
      const decoder = new OpusDecoder({ library, sampleRate: outRate, channels: outChannels });
      const out = decodeAll(decoder, packets);
      const expected = sweep(s16(outRate, 1), 1003);
      assert.ok(Math.abs(totalSamples(out) - expected.length / 2) <= 2, `${totalSamples(out)} samples`);
      assert.ok(Math.abs((out[0]?.position ?? 0) - outRate * 10) <= 1);
      assert.ok(Math.abs((out[0]?.time ?? 0) - START_TIME - 10_000) < 0.1);
      isSeamless(out);
      const first = firstChannel(out);
      const { lag, correlation } = lagOf(firstChannel([frameOf(s16(outRate, 1), expected)]), first, 40);
      assert.ok(Math.abs(lag) <= 1, `lag ${lag}`);
      assert.ok(correlation > 0.95, `correlation ${correlation}`);
    });
  }
});
