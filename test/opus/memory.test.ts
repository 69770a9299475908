/** What an encoder, a writer or a reader holds between two frames: never a whole payload for a small part of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContainerDecoder } from '../../src/containers/container-decoder';
import { OpusDecoder } from '../../src/opus/decoder';
import { OpusEncoder, type OpusFrame } from '../../src/opus/encoder';
import { OggEncoder } from '../../src/containers/ogg-encoder';
import { OggWriter } from '../../src/containers/ogg-writer';
import { bytesOf, encode, oggFrame, STEREO } from '../containers/support/ogg';
import { frameOf, sweep } from './support/sound';

/** Whether `payload`'s memory can be reached from `holder`. */
function holds(holder: object, payload: Buffer): boolean {
  const seen = new Set<unknown>();
  const left: unknown[] = [holder];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (ArrayBuffer.isView(value)) {
      if (value.buffer === payload.buffer) return true;
    } else left.push(...(value instanceof Map ? value.values() : Object.values(value)));
  }
  return false;
}

/** The content in memory that nothing else lies in. */
function alone(content: Buffer): Buffer {
  const payload = Buffer.from(new ArrayBuffer(content.length));
  content.copy(payload);
  return payload;
}

void test('the walk finds what is held', () => {
  const payload = alone(Buffer.alloc(10));
  assert.ok(holds({ a: [{ b: payload.subarray(3, 4) }] }, payload));
  assert.ok(!holds({ a: Buffer.from(payload) }, payload));
});

void test('an encoder holds nothing of frames that are done', () => {
  const payload = alone(sweep(STEREO, 200));
  for (const encoder of [new OpusEncoder(), new OggEncoder()]) {
    encoder.push(frameOf(STEREO, payload));
    assert.ok(!holds(encoder, payload), encoder.constructor.name);
    encoder.close();
  }
});

void test('a writer holds the packets of its page, not where they came from', () => {
  const payload = alone(Buffer.alloc(1000, 0xfc));
  const writer = new OggWriter();
  const format = { encoding: 'opus', sampleRate: 48000, channels: 2 } as const;
  for (let i = 0; i < 12; i++) {
    const place = { samples: 960, position: i * 960, time: i * 20, gap: 0, latencyMs: 0 };
    const frame: OpusFrame = { format, data: payload.subarray(i, i + 1), ...place };
    writer.push(frame);
    assert.ok(!holds(writer, payload), `after ${i + 1} packets`);
  }
});

void test('decoders hold nothing of what came', () => {
  const encoder = new OpusEncoder();
  const [packet] = encoder.push(frameOf(STEREO, sweep(STEREO, 20)));
  assert.ok(packet);
  const frame = { ...packet, data: alone(packet.data) };
  const decoder = new OpusDecoder();
  decoder.push(frame);
  assert.ok(!holds(decoder, frame.data));
  const file = alone(bytesOf(encode([frameOf(STEREO, sweep(STEREO, 300))])));
  for (const length of [2, 100, 1000, file.length]) {
    const container = new ContainerDecoder();
    container.push(oggFrame(file.subarray(0, length)));
    assert.ok(!holds(container, file), `after ${length} bytes`);
  }
});
