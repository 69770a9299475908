/** The elements that Matroska and WebM are made of (RFC 8794), and their blocks (RFC 9559 §10). */

/** Elements that matter here, by their IDs with the length marker (RFC 9559 §5). */
export const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  discardPadding: 0x75a2,
} as const;

export interface Element {
  readonly id: number;
  readonly content: Buffer;
}

export interface ElementHeader {
  readonly id: number;
  readonly headerBytes: number;
  /** Undefined: until the next element of its level begins, as live streams have it. */
  readonly size: number | undefined;
}

export interface Block {
  readonly track: number;
  /** Relative to its cluster, in units of the timestamp scale. */
  readonly relativeTime: number;
  readonly packets: readonly Buffer[];
}

const MAX_ID_BYTES = 4;
const MAX_SIZE_BYTES = 8;

/** ID and size at the start of `data`; undefined where more bytes are needed. What is no ID has size 0. */
export function readElementHeader(data: Buffer): ElementHeader | undefined {
  const idBytes = vintLength(data, 0);
  if (idBytes === undefined) return undefined;
  if (idBytes > MAX_ID_BYTES) return { id: 0, headerBytes: 1, size: 0 };
  const sizeBytes = vintLength(data, idBytes);
  if (sizeBytes === undefined) return undefined;
  const headerBytes = idBytes + sizeBytes;
  if (sizeBytes > MAX_SIZE_BYTES) return { id: 0, headerBytes: 1, size: 0 };
  if (data.length < headerBytes) return undefined;
  return { id: readUint(data.subarray(0, idBytes)), headerBytes, size: readVint(data, idBytes, sizeBytes) };
}

/** The elements that `data` holds whole. */
export function* readElement(data: Buffer): Generator<Element> {
  let at = 0;
  while (at < data.length) {
    const header = readElementHeader(data.subarray(at));
    if (header?.size === undefined) return;
    const start = at + header.headerBytes;
    at = start + header.size;
    if (at > data.length) return;
    yield { id: header.id, content: data.subarray(start, at) };
  }
}

/** A big-endian unsigned integer of up to 8 bytes; 0 for none. */
export function readUint(data: Buffer): number {
  let value = 0;
  for (const byte of data.subarray(0, MAX_SIZE_BYTES)) value = value * 256 + byte;
  return value;
}

/** A big-endian signed integer of up to 8 bytes; 0 for none (RFC 8794 §7.1). */
export function readInt(data: Buffer): number {
  const bytes = Math.min(MAX_SIZE_BYTES, data.length);
  let value = bytes > 0 ? data.readInt8(0) : 0;
  for (let at = 1; at < bytes; at++) value = value * 256 + (data[at] ?? 0);
  return value;
}

/** The packets of a block, by any kind of lacing (RFC 9559 §10.3); none where it is damaged. */
export function unlace(block: Buffer): Block {
  const trackBytes = vintLength(block, 0) ?? 9;
  const flagsAt = trackBytes + 2;
  if (block.length <= flagsAt) return { track: -1, relativeTime: 0, packets: [] };
  const track = readVint(block, 0, trackBytes) ?? -1;
  const relativeTime = block.readInt16BE(trackBytes);
  const lacing = (block.readUInt8(flagsAt) >> 1) & 3;
  const start = flagsAt + 1;
  if (lacing === 0) return { track, relativeTime, packets: [block.subarray(start)] };
  const count = (block[start] ?? 0) + 1;
  const { sizes, at } = lacedSizes(block, lacing, start + 1, count);
  const packets: Buffer[] = [];
  let offset = at;
  for (const size of sizes) {
    packets.push(block.subarray(offset, offset + size));
    offset += size;
  }
  const last = lacing === LACING_FIXED ? 0 : block.length - offset;
  if (last > 0) packets.push(block.subarray(offset));
  const isWhole = sizes.every((size) => size > 0) && offset <= block.length && packets.length === count;
  return { track, relativeTime, packets: isWhole ? packets : [] };
}

const LACING_XIPH = 1;
const LACING_FIXED = 2;

/** Sizes that are written, all but the last except where they are fixed, and where the packets begin. */
function lacedSizes(
  block: Buffer,
  lacing: number,
  start: number,
  count: number,
): { sizes: number[]; at: number } {
  const sizes: number[] = [];
  let at = start;
  if (lacing === LACING_FIXED) {
    const size = Math.floor((block.length - start) / count);
    return { sizes: Array.from({ length: count }, () => size), at };
  }
  for (let i = 0; i < count - 1; i++) {
    if (lacing === LACING_XIPH) {
      let size = 0;
      let byte = 255;
      while (byte === 255) {
        byte = block[at++] ?? 0;
        size += byte;
      }
      sizes.push(size);
      continue;
    }
    const bytes = vintLength(block, at) ?? 1;
    const value = readVint(block, at, bytes) ?? 0;
    // The first is a size, the others are signed differences from the one before.
    const bias = 2 ** (7 * bytes - 1) - 1;
    sizes.push(i === 0 ? value : (sizes[i - 1] ?? 0) + value - bias);
    at += bytes;
  }
  return { sizes, at };
}

/** Bytes of the variable-length integer at `at`: 1 to 8, 9 for none; undefined where the first is missing. */
function vintLength(data: Buffer, at: number): number | undefined {
  const first = data[at];
  return first === undefined ? undefined : Math.clz32(first) - 23;
}

/** Its value without the marker; undefined where all its bits are set: unknown (RFC 8794 §6.2). */
function readVint(data: Buffer, at: number, bytes: number): number | undefined {
  const first = (data[at] ?? 0) & ((1 << (8 - bytes)) - 1);
  let value = first;
  let isUnknown = first === (1 << (8 - bytes)) - 1;
  for (let i = 1; i < bytes; i++) {
    const byte = data[at + i] ?? 0;
    isUnknown &&= byte === 255;
    value = value * 256 + byte;
  }
  return isUnknown ? undefined : value;
}
