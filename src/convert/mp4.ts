/** MP4 files: their index moved to the front so that they can be read through a pipe, and their sound's exact length. */
import type { ExactLength } from './mpeg-audio';

interface Box {
  readonly type: string;
  /** Where it begins, and where its content does. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

const LARGE_HEADER_BYTES = 16;
const HEADER_BYTES = 8;
/** Boxes that hold boxes, down to the tables of places. */
const PARENTS = ['moov', 'trak', 'mdia', 'minf', 'stbl'];

/** Whether the bytes begin as an MP4, M4A, MOV or 3GP file does. */
export function isMp4(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && bytes.toString('latin1', 4, 8) === 'ftyp';
}

/** The boxes within `[start, end)`; stops at the first that makes no sense. */
function boxesIn(bytes: Buffer, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at + HEADER_BYTES <= end;) {
    const short = bytes.readUInt32BE(at);
    const isLarge = short === 1 && at + LARGE_HEADER_BYTES <= end;
    const length = isLarge ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? end - at : short;
    const header = isLarge ? LARGE_HEADER_BYTES : HEADER_BYTES;
    if (length < header || at + length > end) break;
    boxes.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      start: at,
      content: at + header,
      end: at + length,
    });
    at += length;
  }
  return boxes;
}

function find(bytes: Buffer, parent: Box, ...path: string[]): Box | undefined {
  let box: Box | undefined = parent;
  for (const type of path)
    box = box && boxesIn(bytes, box.content, box.end).find((child) => child.type === type);
  return box;
}

/**
 * The parts of a whole file in an order in which a pipe can carry it: its index (`moov`) before its sound (`mdat`).
 * Only the index is copied. A file that is in order, or none that we understand, is one part: itself.
 */
export function indexFirst(file: Buffer): Buffer[] {
  const boxes = boxesIn(file, 0, file.length);
  const moov = boxes.find(({ type }) => type === 'moov');
  const mdat = boxes.find(({ type }) => type === 'mdat');
  if (!moov || !mdat || moov.start < mdat.start) return [file];
  const index = Buffer.from(file.subarray(moov.start, moov.end));
  if (!movePlaces(index, { start: mdat.start, end: moov.start }, index.length)) return [file];
  return [
    file.subarray(0, mdat.start),
    index,
    file.subarray(mdat.start, moov.start),
    file.subarray(moov.end),
  ];
}

/** Adds `by` to every place in the tables that lies in the part that moves; false where one would not fit. */
function movePlaces(index: Buffer, moved: { start: number; end: number }, by: number): boolean {
  const pending = boxesIn(index, 0, index.length);
  for (let box = pending.pop(); box; box = pending.pop()) {
    if (PARENTS.includes(box.type)) {
      pending.push(...boxesIn(index, box.content, box.end));
      continue;
    }
    const size = box.type === 'stco' ? 4 : box.type === 'co64' ? 8 : 0;
    if (size === 0 || box.content + 8 > box.end) continue;
    const count = Math.min(
      index.readUInt32BE(box.content + 4),
      Math.floor((box.end - box.content - 8) / size),
    );
    for (let i = 0; i < count; i++) {
      const at = box.content + 8 + i * size;
      const place = size === 4 ? index.readUInt32BE(at) : Number(index.readBigUInt64BE(at));
      if (place < moved.start || place >= moved.end) continue;
      if (size === 4 && place + by > 0xffffffff) return false;
      if (size === 4) index.writeUInt32BE(place + by, at);
      else index.writeBigUInt64BE(BigInt(place + by), at);
    }
  }
  return true;
}

/** The length of the first sound track, by its edit list and its table of times; undefined where they don't say. */
export function mp4Length(file: Buffer): ExactLength | undefined {
  const moov = boxesIn(file, 0, file.length).find(({ type }) => type === 'moov');
  if (!moov) return undefined;
  const track = boxesIn(file, moov.content, moov.end).find(
    (box) => box.type === 'trak' && isSound(file, box),
  );
  const mvhd = find(file, moov, 'mvhd');
  const mdhd = track && find(file, track, 'mdia', 'mdhd');
  const elst = track && find(file, track, 'edts', 'elst');
  const stts = track && find(file, track, 'mdia', 'minf', 'stbl', 'stts');
  if (!mvhd || !mdhd || !elst || !stts) return undefined;
  try {
    return lengthBy(file, { mvhd, mdhd, elst, stts });
  } catch (error) {
    // A box that is shorter than its fields can't be read.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function isSound(file: Buffer, track: Box): boolean {
  const handler = find(file, track, 'mdia', 'hdlr');
  return (
    handler !== undefined && file.toString('latin1', handler.content + 8, handler.content + 12) === 'soun'
  );
}

function lengthBy(
  file: Buffer,
  boxes: Readonly<Record<'mvhd' | 'mdhd' | 'elst' | 'stts', Box>>,
): ExactLength | undefined {
  const sampleRate = timescale(file, boxes.mdhd);
  const movieRate = timescale(file, boxes.mvhd);
  const { elst, stts } = boxes;
  const isLong = file.readUInt8(elst.content) === 1;
  // More than one edit is a cut film, not a codec's delay.
  if (file.readUInt32BE(elst.content + 4) !== 1 || sampleRate === 0 || movieRate === 0) return undefined;
  const duration = isLong
    ? Number(file.readBigUInt64BE(elst.content + 8))
    : file.readUInt32BE(elst.content + 8);
  const begin = isLong ? Number(file.readBigInt64BE(elst.content + 16)) : file.readInt32BE(elst.content + 12);
  let all = 0;
  const count = file.readUInt32BE(stts.content + 4);
  if (stts.content + 8 + count * 8 > stts.end) return undefined;
  for (let i = 0; i < count; i++) {
    const at = stts.content + 8 + i * 8;
    all += file.readUInt32BE(at) * file.readUInt32BE(at + 4);
  }
  if (begin < 0 || begin >= all) return undefined;
  const byEdit = (duration * sampleRate) / movieRate;
  const byTable = all - begin;
  // The edit may count in coarse units, milliseconds as a rule: the table is finer where the two agree.
  const agree = Math.abs(byEdit - byTable) <= sampleRate / movieRate;
  const samples = agree || duration === 0 ? byTable : Math.min(byTable, Math.round(byEdit));
  return samples > 0 ? { samples, sampleRate } : undefined;
}

/** Units a second of an `mvhd` or `mdhd` box. */
function timescale(file: Buffer, box: Box): number {
  const isLong = file.readUInt8(box.content) === 1;
  return file.readUInt32BE(box.content + (isLong ? 20 : 12));
}
