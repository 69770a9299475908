/** WebM as few programs write it: padding in many bytes, times and sizes beyond all bounds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import type { PcmFrame } from '../../src/audio/frame';
import { ContainerDecoder } from '../../src/containers/container-decoder';
import { readInt } from '../../src/containers/ebml';
import { writeOpusHead } from '../../src/containers/opus-head';
import { WebmReader } from '../../src/containers/webm-reader';
import { decode, oggFrame } from './support/ogg';
import { totalSamples } from '../opus/support/sound';

/** 20 ms, lost. */
const PACKET = Buffer.of(0xfc);
const UNKNOWN_SIZE = Buffer.of(0xff);

function element(id: string, content: Buffer): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(content.length) | (1n << 56n));
  return Buffer.concat([Buffer.from(id, 'hex'), size, content]);
}

const track = element(
  'ae',
  Buffer.concat([
    element('d7', Buffer.of(1)),
    element('83', Buffer.of(2)),
    element('86', Buffer.from('A_OPUS')),
    element('63a2', writeOpusHead({ channels: 2, preSkip: 0, inputSampleRate: 48000, gain: 0 })),
  ]),
);
const start = Buffer.concat([
  element('1a45dfa3', Buffer.alloc(0)),
  Buffer.from('18538067', 'hex'),
  UNKNOWN_SIZE,
  element('1654ae6b', track),
  Buffer.from('1f43b675', 'hex'),
  UNKNOWN_SIZE,
]);

function block(ms: number): Buffer {
  return Buffer.concat([Buffer.of(0x81, ms >> 8, ms & 255, 0), PACKET]);
}

function simpleBlock(ms: number): Buffer {
  return element('a3', block(ms));
}

function group(ms: number, ...others: Buffer[]): Buffer {
  return element('a0', Buffer.concat([...others, element('a1', block(ms))]));
}

function samplesOf(...parts: Buffer[]): number {
  return totalSamples(decode(Buffer.concat([start, ...parts])));
}

void describe('DiscardPadding', () => {
  /** 5 ms. */
  const padding = Buffer.alloc(8);
  padding.writeBigInt64BE(5_000_000n);

  for (const bytes of [3, 4, 5, 6, 7, 8]) {
    void test(`of ${bytes} bytes is cut off`, () => {
      const discard = element('75a2', padding.subarray(8 - bytes));
      assert.equal(samplesOf(simpleBlock(0), group(20, discard)), 960 + 720);
    });
  }

  void test('that is negative, or of no or too many bytes, cuts off nothing that can not be', () => {
    for (const content of [Buffer.alloc(0), Buffer.alloc(8, 255), Buffer.from('80', 'hex'), Buffer.alloc(9)])
      assert.equal(samplesOf(group(0, element('75a2', content))), 960, content.toString('hex'));
    assert.equal(samplesOf(simpleBlock(0), group(20, element('75a2', Buffer.alloc(8, 127)))), 960);
  });

  void test('is read with its sign', () => {
    for (const value of [0n, 1n, -1n, -129n, 2n ** 52n, -(2n ** 52n)]) {
      const data = Buffer.alloc(8);
      data.writeBigInt64BE(value);
      assert.equal(readInt(data), Number(value));
    }
    assert.equal(readInt(Buffer.of(0x80)), -128);
    assert.equal(readInt(Buffer.of(0x7f, 0xff)), 32767);
  });
});

void describe('times out of all bounds', () => {
  const far = element('e7', Buffer.alloc(8, 255));

  void test('are no loss, and later losses are found', () => {
    const frames = decode(Buffer.concat([start, simpleBlock(0), far, simpleBlock(20), simpleBlock(60)]));
    assert.equal(totalSamples(frames), 3 * 960);
    const back = element('e7', Buffer.of(0));
    const out = decode(
      Buffer.concat([start, simpleBlock(0), far, simpleBlock(0), back, simpleBlock(40), simpleBlock(2060)]),
    );
    assert.equal(sumOfGaps(out) + totalSamples(out), 3 * 960 + 96_000 + 960);
    for (const { position } of out) assert.ok(Number.isSafeInteger(position));
  });
});

function sumOfGaps(frames: readonly PcmFrame[]): number {
  return frames.reduce((sum, { gap }) => sum + gap, 0);
}

void describe('sizes and counts out of all bounds', () => {
  void test('a length that would skip all to come is damage', () => {
    const decoder = new ContainerDecoder();
    const huge = Buffer.from('ec01ffffffffffff00', 'hex');
    assert.throws(
      () => decoder.push(oggFrame(Buffer.concat([start, simpleBlock(0), huge]))),
      (error) => error instanceof OrgoError && error.code === 'ORGO_BAD_INPUT' && /bytes/.test(error.message),
    );
    const again = Buffer.concat([start, simpleBlock(0)]);
    assert.equal(totalSamples([...decoder.push(oggFrame(again)), ...decoder.flush()]), 960);
  });

  void test('a group of a hundred thousand parts is not read to its end', () => {
    const parts = Buffer.alloc(200_000);
    for (let at = 0; at < parts.length; at += 2) parts.set([0xec, 0x80], at);
    assert.equal(
      samplesOf(group(0, parts), simpleBlock(0)),
      960,
      'the block after the parts is not looked for',
    );
  });

  void test('an element larger than any packet is skipped, not kept', () => {
    const reader = new WebmReader();
    const large = element('a3', Buffer.alloc(1 << 20));
    const items = [...reader.push(Buffer.concat([start, large, simpleBlock(0)]))];
    assert.equal(items.filter(({ kind }) => kind === 'packet').length, 1);
  });
});
