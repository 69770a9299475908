/** Finds the Opus packets of an Ogg stream: live or a file, whole or damaged, one stream or several chained. */
import { OrgoError } from '../audio/errors';
import { ByteQueue } from './byte-queue';
import { PIECE_BYTES, type Demuxed, type Demuxer } from './demuxer';
import { FULL_SEGMENT, NO_GRANULE, PAGE_MAGIC, readPage, type OggPage } from './ogg-page';
import { isOpusHead, readOpusHead } from './opus-head';
import { MAX_PACKET_BYTES, packetSamples } from './packet';

const TAGS_MAGIC = 'OpusTags';
/** First bytes of what else may lie in an Ogg stream. */
const OTHER_CODECS: readonly (readonly [string, string])[] = [
  ['\x01vorbis', 'Vorbis'],
  ['Speex   ', 'Speex'],
  ['\x7fFLAC', 'FLAC'],
  ['\x80theora', 'Theora'],
];

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
  /** What the file holds, by its first pages, while no Opus was found. */
  private foreign: string | undefined;

  push(bytes: Buffer): Demuxed[] {
    const out: Demuxed[] = [];
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      this.queue.append(bytes.subarray(start, start + PIECE_BYTES));
      this.readPages(out);
    }
    return out;
  }

  private readPages(out: Demuxed[]): void {
    while (this.queue.length > 0) {
      const found = readPage(this.queue.bytes);
      if (found === 'short') return;
      if (found === 'none') {
        // Damaged: the next page is looked for, and the sequence tells what was lost.
        const next = this.queue.bytes.indexOf(PAGE_MAGIC, 1);
        this.queue.skip(next > 0 ? next : Math.max(1, this.queue.length - PAGE_MAGIC.length + 1));
      } else {
        this.queue.skip(found.length);
        this.readPage(found.page, out);
      }
    }
  }

  private readPage(page: OggPage, out: Demuxed[]): void {
    if (page.first) this.begin(page, out);
    else if (this.link?.serial === page.serial) readSound(this.link, page, out);
    else if (!this.link && this.foreign !== undefined) {
      const { foreign } = this;
      this.foreign = undefined;
      throw new OrgoError('ORGO_BAD_INPUT', `The Ogg stream holds ${foreign}: only Opus is decoded`);
    }
  }

  /** A logical stream begins. One of Opus is followed; in a chain, the next one of Opus takes over. */
  private begin(page: OggPage, out: Demuxed[]): void {
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
    out.push({ kind: 'head', head });
  }
}

function readSound(link: Link, page: OggPage, out: Demuxed[]): void {
  if (page.sequence !== link.nextSequence) {
    link.open = undefined;
    link.inTags = false;
  }
  link.nextSequence = (page.sequence + 1) >>> 0;
  const packets = wholePackets(link, page);
  if (page.granule === NO_GRANULE || packets.length === 0) return;
  const lengths = packets.map(({ samples }) => samples);
  const length = lengths.reduce((sum, samples) => sum + samples, 0);
  const end = Number(page.granule);
  const before = link.granule ?? (page.last ? 0 : Math.max(0, end - length));
  link.granule = end;
  const missing = Math.max(0, end - length - before);
  // Only the last page may end before its packets do (RFC 7845 §4.4): the latest ones are padding.
  let left = page.last ? Math.max(0, end - before - missing) : Infinity;
  packets.forEach(({ data, samples }, index) => {
    const padding = samples - Math.min(samples, left);
    left -= samples - padding;
    out.push({ kind: 'packet', data, missing: index === 0 ? missing : 0, padding });
  });
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
