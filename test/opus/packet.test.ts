/** Which Buffers are Opus packets, and how long they last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OrgoError } from '../../src/audio/errors';
import { lostPackets, MAX_PACKET_BYTES, parsePacket } from '../../src/opus/packet';

const FULLBAND_20MS = 31 << 3;
const SILK_60MS = 3 << 3;

function isRefused(packet: Buffer, why: RegExp): void {
  assert.throws(
    () => parsePacket(packet),
    (error) => error instanceof OrgoError && error.code === 'ORGO_BAD_INPUT' && why.test(error.message),
  );
}

void test('the table of contents tells length and channels of a frame', () => {
  const lengths = Array.from({ length: 32 }, (_, config) => parsePacket(Buffer.of(config << 3)).samples);
  const silk = [480, 960, 1920, 2880];
  const celt = [120, 240, 480, 960];
  assert.deepEqual(lengths, [silk, silk, silk, [480, 960], [480, 960], celt, celt, celt, celt].flat());
  assert.equal(parsePacket(Buffer.of(FULLBAND_20MS | 4)).stereo, true);
  assert.equal(parsePacket(Buffer.of(FULLBAND_20MS)).stereo, false);
});

void test('packets of two and of many frames last as long as all of them', () => {
  assert.equal(parsePacket(Buffer.of(FULLBAND_20MS | 1, 7, 7)).samples, 1920);
  assert.equal(parsePacket(Buffer.of(FULLBAND_20MS | 2, 1, 7, 7, 7)).samples, 1920);
  assert.equal(parsePacket(Buffer.of(FULLBAND_20MS | 3, 6)).samples, 5760);
  assert.equal(parsePacket(Buffer.of(FULLBAND_20MS | 3, 0x80 | 3, 1, 2, 9, 9, 9, 9)).frames, 3);
  assert.equal(parsePacket(Buffer.of(FULLBAND_20MS | 3, 0x40 | 2, 3, 9, 9, 0, 0, 0)).frames, 2);
});

void test('each rule of RFC 6716 §3.4 is held, and the error says which', () => {
  isRefused(Buffer.alloc(0), /empty/);
  isRefused(Buffer.alloc(1277, FULLBAND_20MS), /1276 bytes is longer than 1275 \(R2\)/);
  isRefused(Buffer.of(FULLBAND_20MS | 1, 7), /equal length \(R3\)/);
  isRefused(Buffer.of(FULLBAND_20MS | 2), /length is missing/);
  isRefused(Buffer.of(FULLBAND_20MS | 2, 252), /cut off/);
  isRefused(Buffer.of(FULLBAND_20MS | 2, 9, 1), /cut off/);
  isRefused(Buffer.of(FULLBAND_20MS | 3), /R6/);
  isRefused(Buffer.of(FULLBAND_20MS | 3, 0), /R5/);
  isRefused(Buffer.of(FULLBAND_20MS | 3, 7), /R5/);
  isRefused(Buffer.of(SILK_60MS | 3, 3), /R5/);
  isRefused(Buffer.of(FULLBAND_20MS | 3, 2, 1, 1, 1), /R6/);
  isRefused(Buffer.of(FULLBAND_20MS | 3, 0x40 | 1, 255), /padding length/);
  isRefused(Buffer.of(FULLBAND_20MS | 3, 0x40 | 1, 9), /padding is longer/);
  isRefused(Buffer.of(FULLBAND_20MS | 3, 0x80 | 2, 9, 1), /cut off/);
});

void test('nothing is larger than a packet can be, whatever it holds', () => {
  isRefused(Buffer.alloc(1 << 20, FULLBAND_20MS), /at most 61440 bytes/);
  isRefused(Buffer.alloc(MAX_PACKET_BYTES + 1, FULLBAND_20MS | 3), /at most/);
});

void test('any bytes are a packet of 2.5 to 120 ms, or an OrgoError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        const { samples, frames, frameSamples } = parsePacket(Buffer.from(bytes));
        assert.ok(samples >= 120 && samples <= 5760 && samples === frames * frameSamples);
      } catch (error) {
        assert.ok(error instanceof OrgoError, String(error));
      }
    }),
  );
});

void test('a loss of any length becomes packets without sound that last as long', () => {
  for (const lost of [120, 240, 360, 960, 4920, 5760]) {
    const total = lostPackets(lost, true).reduce((sum, packet) => sum + parsePacket(packet).samples, 0);
    assert.equal(total, lost);
  }
  assert.equal(lostPackets(1, false).length, 1);
  assert.equal(lostPackets(0, false).length, 0);
});
