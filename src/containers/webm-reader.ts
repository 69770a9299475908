/** Finds the Opus packets of a WebM or Matroska stream (RFC 9559), as browsers record it and tools write it. */
import { OrgoError } from '../audio/errors';
import { ByteQueue } from './byte-queue';
import { MAX_LOSS, PIECE_BYTES, type Demuxed, type Demuxer } from './demuxer';
import { ID, readElement, readElementHeader, readInt, readUint, unlace, type Element } from './ebml';
import { readOpusHead } from './opus-head';
import { OPUS_CLOCK_RATE, packetSamples } from '../opus/packet';

export const EBML_MAGIC = Buffer.of(0x1a, 0x45, 0xdf, 0xa3);
/** Whether `data` begins as a WebM or Matroska stream does. */
export function isWebm(data: Buffer): boolean {
  return EBML_MAGIC.equals(data.subarray(0, EBML_MAGIC.length));
}

/** No packet of Opus and no description of a track is larger; what is, is skipped, bytes. */
const MAX_LEAF_BYTES = 1 << 18;
/** No picture, film or attachment beside the sound is larger; a damaged length would make us skip all to come. */
const MAX_ELEMENT_BYTES = 2 ** 32;
/** Block times are whole milliseconds by default, and recorders' clocks waver: less is no loss. Samples at 48 kHz */
const LEAST_LOSS = 960;
const NANOSECONDS = 1_000_000_000;
const TRACK_AUDIO = 2;
/** Of a track or of a group; far more than the format knows. */
const MAX_PARTS = 256;
const NOTHING = Buffer.alloc(0);
const DEFAULT_TIMESTAMP_SCALE = 1_000_000;

/** Elements whose content is read as elements of their own, one by one. */
const DESCENDED: ReadonlySet<number> = new Set([ID.segment, ID.cluster, ID.tracks, ID.info]);
/** Elements that are taken whole. */
const TAKEN: ReadonlySet<number> = new Set([
  ID.trackEntry,
  ID.timestampScale,
  ID.timestamp,
  ID.simpleBlock,
  ID.blockGroup,
]);

export class WebmReader implements Demuxer {
  private readonly queue = new ByteQueue();
  /** Bytes of an element that nobody wants, still to come. */
  private skipping = 0;
  private track: number | undefined;
  private timestampScale = DEFAULT_TIMESTAMP_SCALE;
  private clusterTime = 0;
  /** Where the next packet begins if none is missing, samples at 48 kHz; undefined before the first. */
  private expected: number | undefined;

  *push(bytes: Buffer): Generator<Demuxed, void> {
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      this.queue.append(bytes.subarray(start, start + PIECE_BYTES));
      for (;;) {
        const before = this.queue.length;
        const isMore = yield* this.readNext();
        yield { kind: 'read', bytes: before - this.queue.length };
        if (!isMore) break;
      }
    }
  }

  /** Reads or enters one element; false where more bytes are needed. */
  private *readNext(): Generator<Demuxed, boolean> {
    const { queue } = this;
    if (this.skipping > 0) {
      const skipped = Math.min(this.skipping, queue.length);
      queue.skip(skipped);
      this.skipping -= skipped;
      return this.skipping === 0 && queue.length > 0;
    }
    const header = readElementHeader(queue.bytes);
    if (header === undefined) return false;
    const { id, headerBytes, size } = header;
    if (DESCENDED.has(id)) {
      queue.skip(headerBytes);
      return true;
    }
    // Recorders that are restarted write one file after the other.
    if (id === ID.ebml) this.track = this.expected = undefined;
    if (size === undefined)
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `The WebM stream is damaged: element ${id.toString(16)} has no length`,
      );
    if (size > MAX_ELEMENT_BYTES)
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `The WebM stream is damaged: element ${id.toString(16)} has ${size} bytes, at most ${MAX_ELEMENT_BYTES} are taken`,
      );
    if (!TAKEN.has(id) || size > MAX_LEAF_BYTES) {
      queue.skip(headerBytes);
      this.skipping = size;
      return true;
    }
    if (queue.length < headerBytes + size) return false;
    const content = queue.bytes.subarray(headerBytes, headerBytes + size);
    queue.skip(headerBytes + size);
    yield* this.take({ id, content });
    return true;
  }

  private *take({ id, content }: Element): Generator<Demuxed, void> {
    switch (id) {
      case ID.timestampScale:
        this.timestampScale = readUint(content) || DEFAULT_TIMESTAMP_SCALE;
        return;
      case ID.timestamp:
        this.clusterTime = readUint(content);
        return;
      case ID.trackEntry:
        yield* this.takeTrack(content);
        return;
      case ID.simpleBlock:
        yield* this.takeBlock(content, 0);
        return;
      default: {
        const parts = partsOf(content);
        const block = parts.get(ID.block);
        const discarded = readInt(parts.get(ID.discardPadding) ?? NOTHING);
        if (block) yield* this.takeBlock(block, Math.max(0, discarded));
      }
    }
  }

  /** The first audio track is followed. */
  private *takeTrack(content: Buffer): Generator<Demuxed, void> {
    const parts = partsOf(content);
    if (this.track !== undefined || readUint(parts.get(ID.trackType) ?? NOTHING) !== TRACK_AUDIO) return;
    const codec = (parts.get(ID.codecId) ?? NOTHING).toString('latin1').replace(/\0+$/, '');
    if (codec !== 'A_OPUS')
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `The WebM stream holds ${codec.slice(0, 40)}: only Opus is decoded`,
      );
    this.track = readUint(parts.get(ID.trackNumber) ?? NOTHING);
    yield { kind: 'head', head: readOpusHead(parts.get(ID.codecPrivate) ?? NOTHING) };
  }

  /** @param discarded nanoseconds at the end of the block that are padding */
  private *takeBlock(block: Buffer, discarded: number): Generator<Demuxed, void> {
    const { track, packets, relativeTime } = unlace(block);
    if (track !== this.track) return;
    let missing = this.place(relativeTime);
    for (const [index, data] of packets.entries()) {
      const samples = packetSamples(data);
      if (samples === 0) continue;
      const cut = index === packets.length - 1 ? Math.round((discarded * OPUS_CLOCK_RATE) / NANOSECONDS) : 0;
      this.expected = (this.expected ?? 0) + samples;
      yield {
        kind: 'packet',
        data: Buffer.from(data),
        samples,
        missing,
        padding: Math.min(samples, cut),
      };
      missing = 0;
    }
  }

  /** Moves on to a block; what is missing before it, samples at 48 kHz. */
  private place(relativeTime: number): number {
    const time = ((this.clusterTime + relativeTime) * this.timestampScale) / NANOSECONDS;
    const at = Math.round(time * OPUS_CLOCK_RATE);
    const late = at - (this.expected ?? at);
    // A time that leaps out of all bounds is damage; the sound goes on, and losses are counted from there.
    if (Math.abs(late) > MAX_LOSS) this.expected = undefined;
    const missing = late < LEAST_LOSS || late > MAX_LOSS ? 0 : late;
    this.expected = (this.expected ?? at) + missing;
    return missing;
  }
}

/** The elements in `content` by their IDs. More than {@link MAX_PARTS} are damage. */
function partsOf(content: Buffer): Map<number, Buffer> {
  const parts = new Map<number, Buffer>();
  let count = 0;
  for (const element of readElement(content)) {
    if (++count > MAX_PARTS) break;
    if (!parts.has(element.id)) parts.set(element.id, element.content);
  }
  return parts;
}
