/** What is missing from a stream of Opus packets, and what stands in for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import type { PcmFrame } from '../../src/audio/frame';
import { MAX_CONCEALED_MS, OpusDecoder } from '../../src/opus/decoder';
import { OpusEncoder, type OpusFrame } from '../../src/opus/encoder';
import { describeLibraries } from './support/libraries';
import { cut, firstChannel, frameOf, lagOf, s16, START_TIME, sweep, totalSamples } from './support/sound';

const FORMAT = s16(48000, 1);

function packetsOf(ms: number): OpusFrame[] {
  const encoder = new OpusEncoder({ bitrate: 96000 });
  return [...encoder.push(frameOf(FORMAT, sweep(FORMAT, ms))), ...encoder.flush()];
}

/** `packets` without those in [from, to); the next says how much is missing. */
function without(packets: readonly OpusFrame[], from: number, to: number, saysGap = true): OpusFrame[] {
  return packets.flatMap((packet, index) => {
    if (index >= from && index < to) return [];
    return [index === to && saysGap ? { ...packet, gap: (to - from) * packet.samples } : packet];
  });
}

function decode(decoder: OpusDecoder, packets: readonly OpusFrame[]): PcmFrame[] {
  return [...packets.flatMap((packet) => decoder.push(packet)), ...decoder.flush()];
}

function level(samples: Float64Array): number {
  return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
}

describeLibraries((library, { test }) => {
  for (const [lost, saysGap] of [
    [1, true],
    [1, false],
    [5, true],
  ] as const) {
    test(`${lost} lost packets are concealed${saysGap ? '' : ', told by position alone'}`, () => {
      const packets = packetsOf(1000);
      const out = decode(new OpusDecoder({ library }), without(packets, 20, 20 + lost, saysGap));
      assert.equal(totalSamples(out), 48000);
      assert.ok(out.every((frame) => frame.gap === 0));
      const sound = firstChannel(out);
      const whole = firstChannel(decode(new OpusDecoder({ library }), packets));
      const [start, end] = [19_200, 19_200 + 960];
      assert.ok(level(sound.slice(start, end)) > 0.2 * level(whole.slice(start, end)), 'not silence');
      assert.equal(lagOf(whole.slice(30000), sound.slice(30000), 30).lag, 0);
    });
  }

  test(`of a long loss the first part is concealed, the rest stays a gap`, () => {
    const packets = packetsOf(2000);
    const out = decode(new OpusDecoder({ library }), without(packets, 20, 70));
    const gap = 48000 - (MAX_CONCEALED_MS * 48000) / 1000;
    assert.equal(totalSamples(out), 96000 - gap);
    const behind = out.filter((frame) => frame.gap > 0);
    assert.deepEqual(
      behind.map((frame) => [frame.gap, frame.position]),
      [[gap, 70 * 960 - 312]],
    );
    const time = behind[0]?.time ?? 0;
    assert.ok(Math.abs(time - START_TIME - (70 * 960 - 312) / 48) < 0.001);
  });
});

void test('a gap in what was encoded stays a gap of as many samples, at any rate', () => {
  for (const [inRate, outRate] of [
    [48000, 48000],
    [24000, 48000],
    [16000, 24000],
    [44100, 48000],
  ] as const) {
    const format = s16(inRate, 1);
    const data = sweep(format, 500);
    const samples = data.length / 2;
    const encoder = new OpusEncoder();
    const packets = [
      ...encoder.push(frameOf(format, data)),
      ...encoder.push(frameOf(format, data, samples + 333, 333)),
      ...encoder.flush(),
    ];
    const out = decode(new OpusDecoder({ sampleRate: outRate }), packets);
    const scale = outRate / inRate;
    assert.ok(Math.abs(totalSamples(out) - 2 * samples * scale) <= 2, `${totalSamples(out)} at ${inRate}`);
    const gaps = out.filter((frame) => frame.gap > 0);
    assert.equal(gaps.length, 1);
    assert.ok(Math.abs((gaps[0]?.gap ?? 0) - 333 * scale) <= 1);
    assert.ok(Math.abs((gaps[0]?.position ?? 0) - (samples + 333) * scale) <= 1);
  }
});

void test('a packet that is none counts as lost', () => {
  const packets = packetsOf(500);
  const decoder = new OpusDecoder();
  const out: PcmFrame[] = [];
  packets.forEach((packet, index) => {
    const bad = index === 10 ? { ...packet, data: Buffer.alloc(3, 0xff) } : packet;
    if (index === 10) assert.throws(() => decoder.push(bad), OrgoError);
    else out.push(...decoder.push(bad));
  });
  out.push(...decoder.flush());
  assert.equal(totalSamples(out), 24000);
});

void test('an encoder that was flushed and goes on is heard without a seam', () => {
  const data = sweep(FORMAT, 1000);
  const encoder = new OpusEncoder();
  const packets = cut(FORMAT, data, [10001]).flatMap((frame) => [...encoder.push(frame), ...encoder.flush()]);
  const out = decode(new OpusDecoder(), packets);
  assert.equal(totalSamples(out), 48000);
  assert.ok(out.every((frame) => frame.gap === 0));
  assert.equal(lagOf(firstChannel([frameOf(FORMAT, data)]), firstChannel(out), 30).lag, 0);
});

void test('a listener who joins late hears each sample at its place', () => {
  const out = decode(new OpusDecoder(), packetsOf(500).slice(7));
  assert.equal(out[0]?.position, 7 * 960);
  assert.equal(totalSamples(out), 24000 - 7 * 960);
});

void test('packets without preSkip lose nothing', () => {
  const packets = packetsOf(100).map(({ data, ...packet }) => ({
    data,
    format: packet.format,
    samples: 960,
    position: packet.position,
    time: packet.time,
    gap: 0,
    latencyMs: 0,
  }));
  assert.equal(totalSamples(decode(new OpusDecoder(), packets.slice(0, 5))), 4800);
});

void test('the delay of the codec is told, and taken off', () => {
  const [first] = packetsOf(100);
  assert.ok(first);
  assert.equal(first.latencyMs, 0);
  assert.equal(new OpusDecoder().push(first)[0]?.latencyMs, 6.5);
});
