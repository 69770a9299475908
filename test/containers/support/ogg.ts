/** Ogg streams for tests: made, decoded, taken apart. */
import assert from 'node:assert/strict';
import type { PcmFormat } from '../../../src/audio/format';
import type { AudioFrame, PcmFrame } from '../../../src/audio/frame';
import { ContainerDecoder } from '../../../src/containers/container-decoder';
import { OggEncoder } from '../../../src/containers/ogg-encoder';
import { checksum, pageLength, readPage, type OggPage } from '../../../src/containers/ogg-page';
import { OggReader } from '../../../src/containers/ogg-reader';
import type { OggFrame } from '../../../src/containers/ogg-writer';
import type { OpusEncoderSettings } from '../../../src/opus/settings';
import { firstChannel, frameOf, lagOf, s16, START_TIME } from '../../opus/support/sound';

export const STEREO = s16(48000, 2);

export function encode(
  frames: readonly PcmFrame[],
  settings: Partial<OpusEncoderSettings> = {},
  encoder = new OggEncoder(settings, undefined, () => 0.25),
): OggFrame[] {
  return [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.flush()];
}

export function bytesOf(frames: readonly { data: Buffer }[]): Buffer {
  return Buffer.concat(frames.map((frame) => frame.data));
}

export function oggFrame(data: Buffer): AudioFrame<'ogg'> {
  const format = { encoding: 'ogg', sampleRate: 48000, channels: 2 } as const;
  return { format, data, samples: 0, position: 0, time: START_TIME, gap: 0, latencyMs: 0 };
}

export function decode(file: Buffer, cutAt = file.length, options = {}): PcmFrame[] {
  const decoder = new ContainerDecoder(options);
  const out: PcmFrame[] = [];
  for (let at = 0; at < file.length; at += cutAt)
    out.push(...decoder.push(oggFrame(file.subarray(at, at + cutAt))));
  return [...out, ...decoder.flush()];
}

export function isLike(format: PcmFormat, data: Buffer, decoded: readonly PcmFrame[]): void {
  const { lag, correlation } = lagOf(firstChannel([frameOf(format, data)]), firstChannel(decoded), 30);
  assert.equal(lag, 0);
  assert.ok(correlation > 0.97, `correlation ${correlation}`);
}

export function packetsOf(file: Buffer): Buffer[] {
  return [...new OggReader().push(file)].flatMap((item) => (item.kind === 'packet' ? [item.data] : []));
}

/** The page at the start of `file`, and its length. */
export function firstPage(file: Buffer): { page: OggPage; length: number } {
  const length = pageLength(file);
  assert.ok(typeof length === 'number', `no page: ${length}`);
  const page = readPage(file.subarray(0, length));
  assert.ok(page, 'a wrong checksum');
  return { page, length };
}

/** The headers of `file`, then `packets` in pages of `segments` each, wherever that cuts them. */
export function spanningPages(file: Buffer, packets: readonly Buffer[], segments: number): Buffer[] {
  const pages: Buffer[] = [];
  let rest = file;
  while (pages.length < 2) {
    const { length } = firstPage(rest);
    pages.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  const last = encodedEnd(file);
  const pieces = packets.flatMap((packet, index) => {
    const granule = index === packets.length - 1 ? last : BigInt((index + 1) * 2880);
    const count = Math.floor(packet.length / 255) + 1;
    return Array.from({ length: count }, (_, i) => ({
      data: packet.subarray(i * 255, (i + 1) * 255),
      granule: i === count - 1 ? granule : -1n,
      begins: i === 0,
    }));
  });
  for (let at = 0; at < pieces.length; at += segments) {
    const held = pieces.slice(at, at + segments);
    const isLast = at + segments >= pieces.length;
    const page = Buffer.concat([
      Buffer.from('OggS'),
      Buffer.of(0, (held[0]?.begins ? 0 : 1) | (isLast ? 4 : 0)),
      Buffer.alloc(20),
      Buffer.of(held.length, ...held.map((piece) => piece.data.length)),
      ...held.map((piece) => piece.data),
    ]);
    page.writeBigInt64LE(held.findLast((piece) => piece.granule >= 0n)?.granule ?? -1n, 6);
    page.writeUInt32LE(file.readUInt32LE(14), 14);
    page.writeUInt32LE(pages.length, 18);
    page.writeUInt32LE(checksum(page), 22);
    pages.push(page);
  }
  return pages;
}

/** Granule position of the last page. */
function encodedEnd(file: Buffer): bigint {
  return file.readBigInt64LE(file.lastIndexOf('OggS') + 6);
}
