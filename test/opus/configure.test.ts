/** Settings that change while an encoder runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpusDecoder } from '../../src/opus/decoder';
import { OpusEncoder, type OpusFrame } from '../../src/opus/encoder';
import { parsePacket } from '../../src/opus/packet';
import { cut, firstChannel, frameOf, lagOf, s16, sweep, totalSamples } from './support/sound';

const FORMAT = s16(48000, 2);

function averageBytes(packets: readonly OpusFrame[]): number {
  return packets.reduce((sum, packet) => sum + packet.data.length, 0) / packets.length;
}

void test('the bitrate counts from the next packet on', () => {
  const encoder = new OpusEncoder({ bitrate: 128000 });
  const data = sweep(FORMAT, 1000);
  const before = encoder.push(frameOf(FORMAT, data));
  assert.deepEqual(encoder.configure({ bitrate: 24000 }), []);
  const after = encoder.push(frameOf(FORMAT, data, 48000));
  assert.ok(averageBytes(after) < 0.35 * averageBytes(before));
  assert.equal(encoder.settings.bitrate, 24000);
});

void test('silence is hardly sent with dtx', () => {
  const encoder = new OpusEncoder({ application: 'voip', bitrate: 16000 });
  const silence = frameOf(s16(16000, 1), Buffer.alloc(16000 * 2 * 4));
  const before = encoder.push(silence);
  encoder.configure({ dtx: true });
  const after = encoder.push({ ...silence, position: 16000 * 4 });
  assert.ok(after.slice(60, 75).some((packet) => packet.data.length <= 2));
  assert.ok(before.every((packet) => packet.data.length > 2));
});

void test('forward error correction makes packets that repeat the one before', () => {
  const encode = (fec: boolean): number => {
    const encoder = new OpusEncoder({ application: 'voip', bitrate: 24000, fec, packetLoss: fec ? 30 : 0 });
    const mono = s16(16000, 1);
    return encoder.push(frameOf(mono, sweep(mono, 2000))).filter(({ data }) => hasFec(data)).length;
  };
  assert.equal(encode(false), 0);
  assert.ok(encode(true) > 30);
});

void test('another frame length joins without a seam', () => {
  const data = sweep(FORMAT, 1000);
  const encoder = new OpusEncoder({ bitrate: 128000 });
  const packets: OpusFrame[] = [];
  const lengths = [60, 10, 40, 2.5, 20] as const;
  cut(FORMAT, data, [10000]).forEach((frame, index) => {
    packets.push(...encoder.configure({ frameMs: lengths[index] ?? 20 }), ...encoder.push(frame));
  });
  packets.push(...encoder.flush());
  assert.deepEqual(
    [...new Set(packets.map((packet) => parsePacket(packet.data).samples / 48))].sort((a, b) => a - b),
    [2.5, 10, 20, 40, 60],
  );
  isWhole(data, packets);
});

void test('another application begins a new run, and no sample is lost', () => {
  const data = sweep(FORMAT, 1000);
  const encoder = new OpusEncoder({ bitrate: 128000 });
  const packets: OpusFrame[] = [];
  const applications = ['audio', 'lowdelay', 'audio', 'voip', 'voip'] as const;
  cut(FORMAT, data, [10000]).forEach((frame, index) => {
    packets.push(
      ...encoder.configure({ application: applications[index] ?? 'voip' }),
      ...encoder.push(frame),
    );
  });
  packets.push(...encoder.flush());
  assert.deepEqual([...new Set(packets.map((packet) => packet.preSkip))], [312, 120]);
  isWhole(data, packets);
});

function isWhole(data: Buffer, packets: readonly OpusFrame[]): void {
  const decoder = new OpusDecoder();
  const out = [...packets.flatMap((packet) => decoder.push(packet)), ...decoder.flush()];
  assert.equal(totalSamples(out), 48000);
  assert.ok(out.every((frame) => frame.gap === 0));
  const { lag, correlation } = lagOf(firstChannel([frameOf(FORMAT, data)]), firstChannel(out), 30);
  assert.equal(lag, 0);
  assert.ok(correlation > 0.95, `correlation ${correlation}`);
}

/** A SILK or hybrid packet of one mono frame: its second bit tells (RFC 6716 §4.2.4). */
function hasFec(packet: Buffer): boolean {
  const toc = packet[0] ?? 0;
  return toc >> 3 < 16 && ((packet[1] ?? 0) & 0x40) !== 0;
}
