/** Finds the Opus packets of a WebM or Matroska stream (RFC 9559), as browsers record it and tools write it. */
import { OrgoError } from '../audio/errors';
import { ByteQueue } from './byte-queue';
import { PIECE_BYTES, type Demuxed, type Demuxer } from './demuxer';
import { ID, readElement, readElementHeader, readUint, unlace, type Element } from './ebml';
import { readOpusHead } from './opus-head';
import { OPUS_CLOCK_RATE, packetSamples } from './packet';

export const EBML_MAGIC = Buffer.of(0x1a, 0x45, 0xdf, 0xa3);
/** No packet of Opus and no description of a track is larger; what is, is skipped, bytes. */
const MAX_LEAF_BYTES = 1 << 20;
/** Block times are whole milliseconds by default, and recorders' clocks waver: less is no loss. Samples at 48 kHz */
const LEAST_LOSS = 960;
const NANOSECONDS = 1_000_000_000;
const TRACK_AUDIO = 2;
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

  push(bytes: Buffer): Demuxed[] {
    const out: Demuxed[] = [];
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      this.queue.append(bytes.subarray(start, start + PIECE_BYTES));
      while (this.readNext(out));
    }
    return out;
  }

  /** Reads or enters one element; false where more bytes are needed. */
  private readNext(out: Demuxed[]): boolean {
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
    // Recorders that are restarted write one file behind the other.
    if (id === ID.ebml) this.track = this.expected = undefined;
    if (size === undefined)
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `The WebM stream is damaged: element ${id.toString(16)} has no length`,
      );
    if (!TAKEN.has(id) || size > MAX_LEAF_BYTES) {
      queue.skip(headerBytes);
      this.skipping = size;
      return true;
    }
    if (queue.length < headerBytes + size) return false;
    const content = queue.bytes.subarray(headerBytes, headerBytes + size);
    queue.skip(headerBytes + size);
    this.take({ id, content }, out);
    return true;
  }

  private take({ id, content }: Element, out: Demuxed[]): void {
    switch (id) {
      case ID.timestampScale:
        this.timestampScale = readUint(content) || DEFAULT_TIMESTAMP_SCALE;
        return;
      case ID.timestamp:
        this.clusterTime = readUint(content);
        return;
      case ID.trackEntry:
        this.takeTrack(content, out);
        return;
      case ID.simpleBlock:
        this.takeBlock(content, 0, out);
        return;
      default: {
        const elements = [...readElement(content)];
        const block = elements.find((element) => element.id === ID.block);
        const padding = elements.find((element) => element.id === ID.discardPadding)?.content;
        const discarded =
          padding && padding.length > 0 ? padding.readIntBE(0, Math.min(6, padding.length)) : 0;
        if (block) this.takeBlock(block.content, Math.max(0, discarded), out);
      }
    }
  }

  /** The first audio track is followed. */
  private takeTrack(content: Buffer, out: Demuxed[]): void {
    const parts = new Map([...readElement(content)].map((element) => [element.id, element.content]));
    const number = readUint(parts.get(ID.trackNumber) ?? Buffer.alloc(0));
    if (this.track !== undefined || readUint(parts.get(ID.trackType) ?? Buffer.alloc(0)) !== TRACK_AUDIO)
      return;
    const codec = (parts.get(ID.codecId) ?? Buffer.alloc(0)).toString('latin1').replace(/\0+$/, '');
    if (codec !== 'A_OPUS')
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `The WebM stream holds ${codec.slice(0, 40)}: only Opus is decoded`,
      );
    this.track = number;
    out.push({ kind: 'head', head: readOpusHead(parts.get(ID.codecPrivate) ?? Buffer.alloc(0)) });
  }

  /** @param discarded nanoseconds at the end of the block that are padding */
  private takeBlock(block: Buffer, discarded: number, out: Demuxed[]): void {
    const { track, packets, relativeTime } = unlace(block);
    if (track !== this.track) return;
    const time = ((this.clusterTime + relativeTime) * this.timestampScale) / NANOSECONDS;
    const at = Math.round(time * OPUS_CLOCK_RATE);
    const late = at - (this.expected ?? at);
    let missing = late < LEAST_LOSS ? 0 : late;
    this.expected = (this.expected ?? at) + missing;
    packets.forEach((data, index) => {
      const samples = packetSamples(data);
      if (samples === 0) return;
      const cut = index === packets.length - 1 ? Math.round((discarded * OPUS_CLOCK_RATE) / NANOSECONDS) : 0;
      out.push({ kind: 'packet', data: Buffer.from(data), missing, padding: Math.min(samples, cut) });
      this.expected = (this.expected ?? at) + samples;
      missing = 0;
    });
  }
}
