/** Ogg pages (RFC 3533 §6), as they are written and as they are found in a stream of bytes. */

export const PAGE_MAGIC = Buffer.from('OggS', 'latin1');
export const PAGE_HEADER_BYTES = 27;
/** A segment of this length is followed by another of the same packet. */
export const FULL_SEGMENT = 255;
export const MAX_SEGMENTS = 255;
export const MAX_PAGE_BYTES = PAGE_HEADER_BYTES + MAX_SEGMENTS * (1 + FULL_SEGMENT);
/** Granule position of a page on which no packet ends. */
export const NO_GRANULE = -1n;

const CHECKSUM_OFFSET = 22;
const FLAG_CONTINUED = 1;
const FLAG_FIRST = 2;
const FLAG_LAST = 4;

export interface PageFlags {
  /** The first segment goes on with a packet of the page before. */
  readonly continued: boolean;
  /** First page of its logical stream. */
  readonly first: boolean;
  /** Last page of its logical stream. */
  readonly last: boolean;
}

export interface OggPage extends PageFlags {
  readonly granule: bigint;
  readonly serial: number;
  readonly sequence: number;
  readonly segments: Buffer;
  readonly body: Buffer;
}

/** Whether `data` begins as an Ogg stream does. */
export function isOgg(data: Buffer): boolean {
  return PAGE_MAGIC.equals(data.subarray(0, PAGE_MAGIC.length));
}

/** Number of segments that a packet takes: its last one is shorter than full, empty if need be. */
export function segmentsOf(packet: Buffer): number {
  return Math.floor(packet.length / FULL_SEGMENT) + 1;
}

/** Writes a page that holds `packets`, whole; they take at most {@link MAX_SEGMENTS} segments. */
export function writePage(
  page: Pick<OggPage, 'first' | 'last' | 'granule' | 'serial' | 'sequence'>,
  packets: readonly Buffer[],
): Buffer {
  let segments = 0;
  let bytes = 0;
  for (const packet of packets) {
    segments += segmentsOf(packet);
    bytes += packet.length;
  }
  const out = Buffer.alloc(PAGE_HEADER_BYTES + segments + bytes);
  PAGE_MAGIC.copy(out);
  out[5] = (page.first ? FLAG_FIRST : 0) | (page.last ? FLAG_LAST : 0);
  out.writeBigInt64LE(page.granule, 6);
  out.writeUInt32LE(page.serial, 14);
  out.writeUInt32LE(page.sequence, 18);
  out[26] = segments;
  let lacing = PAGE_HEADER_BYTES;
  let at = PAGE_HEADER_BYTES + segments;
  for (const packet of packets) {
    let left = packet.length;
    for (; left >= FULL_SEGMENT; left -= FULL_SEGMENT) out[lacing++] = FULL_SEGMENT;
    out[lacing++] = left;
    at += packet.copy(out, at);
  }
  out.writeUInt32LE(checksum(out), CHECKSUM_OFFSET);
  return out;
}

/**
 * Length of the page that begins at the start of `data`, by its header; all of it is there.
 * @returns `short` where more bytes are needed, `none` where no page begins here
 */
export function pageLength(data: Buffer): number | 'short' | 'none' {
  const seen = Math.min(PAGE_MAGIC.length, data.length);
  if (PAGE_MAGIC.compare(data, 0, seen, 0, seen) !== 0) return 'none';
  if (data.length < PAGE_HEADER_BYTES) return 'short';
  if (data.readUInt8(4) !== 0) return 'none';
  const bodyStart = PAGE_HEADER_BYTES + data.readUInt8(26);
  if (data.length < bodyStart) return 'short';
  let length = bodyStart;
  for (let at = PAGE_HEADER_BYTES; at < bodyStart; at++) length += data[at] ?? 0;
  return data.length < length ? 'short' : length;
}

/** Reads a page of which {@link pageLength} holds, sharing its memory; undefined where its checksum is wrong. */
export function readPage(data: Buffer): OggPage | undefined {
  if (checksum(data) !== data.readUInt32LE(CHECKSUM_OFFSET)) return undefined;
  const bodyStart = PAGE_HEADER_BYTES + data.readUInt8(26);
  const flags = data.readUInt8(5);
  return {
    continued: (flags & FLAG_CONTINUED) !== 0,
    first: (flags & FLAG_FIRST) !== 0,
    last: (flags & FLAG_LAST) !== 0,
    granule: data.readBigInt64LE(6),
    serial: data.readUInt32LE(14),
    sequence: data.readUInt32LE(18),
    segments: data.subarray(PAGE_HEADER_BYTES, bodyStart),
    body: data.subarray(bodyStart),
  };
}

/** CRC-32 of polynomial 04c11db7, neither reflected nor inverted, its own field counting as 0 (RFC 3533 §6). */
export function checksum(page: Buffer): number {
  let crc = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= CHECKSUM_OFFSET && i < CHECKSUM_OFFSET + 4 ? 0 : (page[i] ?? 0);
    crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ byte] ?? 0);
  }
  return crc >>> 0;
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});
