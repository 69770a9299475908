/** Finds the Opus packets of an Ogg stream: live or a file, whole or damaged, one stream or several chained. */
import { OrgoError } from '../audio/errors';
import { ByteQueue } from './byte-queue';
import { MAX_LOSS, PIECE_BYTES, type Demuxed, type Demuxer } from './demuxer';
import {
  FULL_SEGMENT,
  MAX_PAGE_BYTES,
  NO_GRANULE,
  PAGE_MAGIC,
  pageLength,
  readPage,
  type OggPage,
} from './ogg-page';
import { isOpusHead, readOpusHead } from './opus-head';
import { MAX_PACKET_BYTES, packetSamples } from '../opus/packet';

const TAGS_MAGIC = 'OpusTags';
/** First bytes of what else may lie in an Ogg stream. */
const OTHER_CODECS: readonly (readonly [string, string])[] = [
  ['\x01vorbis', 'Vorbis'],
  ['Speex   ', 'Speex'],
  ['\x7fFLAC', 'FLAC'],
  ['\x80theora', 'Theora'],
];

/**
 * Bytes of damaged pages whose checksums are worked out, for each byte that comes. A real page is never larger than
 * what came of it; headers that only look like one, each of them the longest that there can be, are passed over.
 */
const CHECKED_PER_BYTE = 4;
const MAX_ALLOWANCE = CHECKED_PER_BYTE * MAX_PAGE_BYTES;

/** The logical stream that is read. Samples are at 48 kHz. */
interface Link {
  readonly serial: number;
  nextSequence: number;
  inTags: boolean;
  /** The packet that goes on on the next page: its pieces, or `lost` where it is not wanted. */
  open: Buffer[] | 'lost' | undefined;
  /** Granule position of the end of the latest page; undefined before the first with sound. */
  granule: number | undefined;
}

export class OggReader implements Demuxer {
  private readonly queue = new ByteQueue();
  private link: Link | undefined;
  /** Bytes of damaged pages that may still be checked. */
  private allowance = MAX_ALLOWANCE;
  /** What the file holds, by its first pages, while no Opus was found. */
  private foreign: string | undefined;

  *push(bytes: Buffer): Generator<Demuxed, void> {
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      this.queue.append(bytes.subarray(start, start + PIECE_BYTES));
      yield* this.readPages();
    }
  }

  private *readPages(): Generator<Demuxed, void> {
    while (this.queue.length > 0) {
      const { bytes } = this.queue;
      const length = pageLength(bytes);
      if (length === 'short') return;
      const isChecked = length !== 'none' && length <= this.allowance;
      const page = isChecked ? readPage(bytes.subarray(0, length)) : undefined;
      const passed = page && isChecked ? length : damagedBytes(bytes);
      this.queue.skip(passed);
      this.allowance = Math.min(MAX_ALLOWANCE, this.allowance + CHECKED_PER_BYTE * passed);
      if (page) yield* this.readPage(page);
      else if (isChecked) this.allowance -= length;
      yield { kind: 'read', bytes: isChecked ? Math.max(passed, length) : passed };
    }
  }

  private *readPage(page: OggPage): Generator<Demuxed, void> {
    if (page.first) yield* this.begin(page);
    else if (this.link?.serial === page.serial) yield* readSound(this.link, page);
    else if (!this.link && this.foreign !== undefined) {
      const { foreign } = this;
      this.foreign = undefined;
      throw new OrgoError('ORGO_BAD_INPUT', `The Ogg stream holds ${foreign}: only Opus is decoded`);
    }
  }

  /** A logical stream begins. One of Opus is followed; in a chain, the next one of Opus takes over. */
  private *begin(page: OggPage): Generator<Demuxed, void> {
    if (!isOpusHead(page.body)) {
      const known = OTHER_CODECS.find(([magic]) => page.body.toString('latin1').startsWith(magic));
      if (!this.link) this.foreign = known?.[1] ?? 'an unknown codec';
      return;
    }
    const head = readOpusHead(page.body);
    this.link = {
      serial: page.serial,
      nextSequence: page.sequence + 1,
      inTags: true,
      open: undefined,
      granule: undefined,
    };
    yield { kind: 'head', head };
  }
}

/** Where no page begins at the front of `bytes`: what lies before the next place where one may. */
function damagedBytes(bytes: Buffer): number {
  const next = bytes.indexOf(PAGE_MAGIC, 1);
  return next > 0 ? next : Math.max(1, bytes.length - PAGE_MAGIC.length + 1);
}

function* readSound(link: Link, page: OggPage): Generator<Demuxed, void> {
  if (page.sequence !== link.nextSequence) {
    link.open = undefined;
    link.inTags = false;
  }
  link.nextSequence = (page.sequence + 1) >>> 0;
  const packets = wholePackets(link, page);
  if (page.granule === NO_GRANULE || packets.length === 0) return;
  const length = packets.reduce((sum, { samples }) => sum + samples, 0);
  const end = endOf(link, page, length);
  const before = link.granule ?? (page.last ? 0 : Math.max(0, end - length));
  link.granule = end;
  const leap = end - length - before;
  const missing = leap > 0 && leap <= MAX_LOSS ? leap : 0;
  // Only the last page may end before its packets do (RFC 7845 §4.4): the latest ones are padding.
  let left = page.last ? Math.max(0, end - before - missing) : Infinity;
  for (const [index, { data, samples }] of packets.entries()) {
    const padding = samples - Math.min(samples, left);
    left -= samples - padding;
    yield { kind: 'packet', data, samples, missing: index === 0 ? missing : 0, padding };
  }
}

/** Granule position of the end of the page; one that can't be counted with stands for "nothing is missing". */
function endOf(link: Link, page: OggPage, length: number): number {
  const end = Number(page.granule);
  return end >= 0 && Number.isSafeInteger(end) ? end : (link.granule ?? 0) + length;
}

/** The packets of sound that end on this page, copied out of it; what is no packet is left out. */
function wholePackets(link: Link, page: OggPage): { data: Buffer; samples: number }[] {
  const packets: { data: Buffer; samples: number }[] = [];
  let open = page.continued ? (link.open ?? 'lost') : undefined;
  let start = 0;
  let at = 0;
  for (const segment of page.segments) {
    at += segment;
    if (segment === FULL_SEGMENT) continue;
    const data = Buffer.concat([...(Array.isArray(open) ? open : []), page.body.subarray(start, at)]);
    const samples = open === 'lost' || (link.inTags && isTags(data)) ? 0 : packetSamples(data);
    if (samples > 0) packets.push({ data, samples });
    open = undefined;
    link.inTags = false;
    start = at;
  }
  link.open = stillOpen(open, page.body.subarray(start), link.inTags);
  if (start < at) link.inTags = false;
  return packets;
}

/** What is known of the packet that ends on a later page, `rest` being the last that this page holds of it. */
function stillOpen(open: Link['open'], rest: Buffer, inTags: boolean): Link['open'] {
  if (rest.length === 0) return undefined;
  if (open === 'lost' || inTags) return 'lost';
  const pieces = [...(open ?? []), Buffer.from(rest)];
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return length > MAX_PACKET_BYTES ? 'lost' : pieces;
}

function isTags(data: Buffer): boolean {
  return data.toString('latin1', 0, TAGS_MAGIC.length) === TAGS_MAGIC;
}
