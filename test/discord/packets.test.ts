/** Opus packets of any length made into packets of 20 ms, and what crosses to the relay. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import { OpusRecut } from '../../src/discord/opus-recut';
import { splitFrames } from '../../src/discord/opus-frames';
import { readPacket, writePacket } from '../../src/discord/relay-messages';
import { chooseLibrary } from '../../src/opus/choose-library';
import { OpusCodec, type FrameMs } from '../../src/opus/codec';
import { parsePacket } from '../../src/opus/packet';
import { sound } from './support/simulation';

const RATE = 48000;

/** `count` packets of `frameMs` with a tone of 440 Hz, mono. */
function packets(frameMs: FrameMs, count: number): Buffer[] {
  const codec = new OpusCodec(chooseLibrary(), RATE, 1);
  const samples = (RATE * frameMs) / 1000;
  const made = Array.from({ length: count }, (_, n) => {
    const pcm = Buffer.alloc(samples * 2);
    for (let i = 0; i < samples; i++)
      pcm.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * 440 * (n * samples + i)) / RATE)), i * 2);
    return codec.encode(pcm);
  });
  codec.close();
  return made;
}

function decode(all: readonly Buffer[]): Buffer {
  const codec = new OpusCodec(chooseLibrary(), RATE, 1);
  const pcm = Buffer.concat(all.map((packet) => codec.decode(packet)));
  codec.close();
  return pcm;
}

function isBadInput(error: unknown): boolean {
  return error instanceof OrgoError && error.code === 'ORGO_BAD_INPUT';
}

describe('re-cutting Opus', () => {
  test('leaves packets of 20 ms untouched', () => {
    const recut = new OpusRecut();
    for (const packet of packets(20, 5)) assert.deepEqual(recut.push(packet), [packet]);
  });

  test('joins packets of 10 ms by two: the same sound, bit for bit', () => {
    const made = packets(10, 40);
    const recut = new OpusRecut();
    const joined = made.flatMap((packet) => recut.push(packet) ?? []);
    assert.equal(joined.length, 20);
    for (const packet of joined) assert.equal(parsePacket(packet).samples, 960);
    assert.deepEqual(decode(joined), decode(made));
  });

  test('cuts packets of three 20 ms frames of any lengths: the same sound, bit for bit', () => {
    const made = packets(20, 30);
    const recut = new OpusRecut();
    const cut: Buffer[] = [];
    for (let i = 0; i < made.length; i += 3)
      cut.push(...(recut.push(threeFrames(made.slice(i, i + 3))) ?? []));
    assert.equal(cut.length, 30);
    for (const packet of cut) assert.equal(parsePacket(packet).samples, 960);
    assert.deepEqual(decode(cut), decode(made));
  });

  test('cuts packets of four 10 ms frames of equal lengths into two of two', () => {
    const frame = Buffer.of(1, 2, 3);
    const toc = (30 << 3) | 3;
    const cut = new OpusRecut().push(Buffer.concat([Buffer.of(toc, 4), frame, frame, frame, frame]));
    const half = Buffer.concat([Buffer.of((30 << 3) | 1), frame, frame]);
    assert.deepEqual(cut, [half, half]);
  });

  test('says where only encoding anew helps: 5 ms, and 40 ms in one frame', () => {
    const recut = new OpusRecut();
    assert.equal(recut.push(packets(5, 1)[0]!), undefined);
    // SILK, 40 ms in one frame (configuration 2).
    assert.equal(recut.push(Buffer.of(2 << 3, 1, 2, 3)), undefined);
  });

  test('refuses what is no packet, and goes on with the next', () => {
    const recut = new OpusRecut();
    assert.throws(() => recut.push(Buffer.alloc(0)), isBadInput);
    assert.throws(() => recut.push(Buffer.of(0xff, 0x00)), isBadInput);
    const [good] = packets(20, 1);
    assert.deepEqual(recut.push(good!), [good]);
  });
});

describe('the frames in a packet', () => {
  test('are found behind padding, and with two-byte lengths', () => {
    const long = Buffer.alloc(300, 7);
    const short = Buffer.alloc(10, 8);
    // Code 3, VBR, padded by 2: one length of two bytes (252 + 48 · … = 300).
    const first = 252 + (300 & 3);
    const packet = Buffer.concat([
      Buffer.of((31 << 3) | 3, 0x80 | 0x40 | 2, 2, first, (300 - first) >> 2),
      ...[long, short, Buffer.alloc(2)],
    ]);
    assert.deepEqual(splitFrames(packet), [long, short]);
  });
});

describe('a packet on its way to the relay', () => {
  test('arrives as it was', () => {
    for (const packet of [
      sound(7),
      sound(8, { live: false, silent: true, sourceMs: 1.25e12, clockMs: 1.25e12 + 7 }),
    ])
      assert.deepEqual(readPacket(writePacket(packet)), packet);
  });
});

/** Code 3 of three frames, each with its length. */
function threeFrames(made: readonly Buffer[]): Buffer {
  const frames = made.map((packet) => packet.subarray(1));
  const toc = (made[0]![0]! & ~3) | 3;
  const lengths = frames
    .slice(0, 2)
    .map(({ length }) =>
      length < 252 ? Buffer.of(length) : Buffer.of(252 + (length & 3), (length - 252 - (length & 3)) >> 2),
    );
  return Buffer.concat([Buffer.of(toc, 0x80 | 3), ...lengths, ...frames]);
}
