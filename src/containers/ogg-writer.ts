/** Opus packets into an Ogg stream that a player can follow while it grows (RFC 7845). */
import { OrgoError } from '../audio/errors';
import { sameFormat } from '../audio/format';
import type { AudioFrame, Transform } from '../audio/frame';
import type { OpusFrame } from '../opus/encoder';
import { MAX_SEGMENTS, NO_GRANULE, segmentsOf, writePage } from './ogg-page';
import { writeOpusHead } from './opus-head';
import { lostPackets, OPUS_CLOCK_RATE, parsePacket } from '../opus/packet';

export type OggFrame = AudioFrame<'ogg'>;

/** A page lasts at most 100 ms, so that a live listener is no further behind. Samples at 48 kHz */
const MAX_PAGE_SAMPLES = 4800;
/** Of a loss, at most this much is written as lost packets; after a longer one a new stream begins. ms */
export const MAX_FILLED_MS = 2000;
const NOTHING = Buffer.alloc(0);
const VENDOR = 'node-red-contrib-orgo-audio';

/** One logical stream. Samples are at 48 kHz. */
interface Link {
  readonly serial: number;
  readonly format: OpusFrame['format'];
  readonly preSkip: number;
  nextSequence: number;
  /** Length of the packets so far, padding included. */
  granule: number;
  /** Length of the sound in them. */
  sound: number;
  /** Whether a packet was filled up with silence: the stream's end. */
  ended: boolean;
  stereo: boolean;
  /** Where the latest packet ends. */
  end: OpusFrame;
  /** What goes into the next page. */
  page: Page;
}

interface Page {
  readonly frames: OpusFrame[];
  segments: number;
  samples: number;
}

/**
 * Each frame is a whole page, the first with the headers before it; nothing is ever written twice. A short loss is
 * filled with packets that make a decoder conceal it, as RFC 7845 §4.1 has it. A flush ends the stream, trimmed to
 * the sound that came; what comes after it is a new stream, chained to it.
 */
export class OggWriter implements Transform<'opus', 'ogg'> {
  private link: Link | undefined;

  /** @param random from 0 to 1, for the serial number of each stream */
  constructor(private readonly random: () => number = Math.random) {}

  /** @throws OrgoError `ORGO_BAD_INPUT` where the payload is no packet */
  push(frame: OpusFrame): OggFrame[] {
    const { samples, stereo } = parsePacket(frame.data);
    const out = this.isBorder(frame) ? this.flush() : [];
    const link = (this.link ??= this.start(frame));
    const fills = frame.gap > 0 && link.granule > 0;
    if (fills) {
      for (const lost of standIns(frame, link.stereo))
        this.add(link, lost, parsePacket(lost.data).samples, out);
    }
    link.stereo = stereo;
    this.add(link, fills ? { ...frame, gap: 0 } : frame, samples, out);
    return out;
  }

  /** Writes the last page. */
  flush(): OggFrame[] {
    const { link } = this;
    this.link = undefined;
    return link && link.granule > 0 ? [finishPage(link, true)] : [];
  }

  close(): void {
    this.link = undefined;
  }

  /** Whether the stream can't go on with this packet. */
  private isBorder(frame: OpusFrame): boolean {
    const { link } = this;
    if (!link) return false;
    if (!sameFormat(link.format, frame.format)) return true;
    if (link.ended) return frame.samples > 0 || frame.gap > 0;
    return frame.gap * 1000 > MAX_FILLED_MS * frame.format.sampleRate;
  }

  private start(frame: OpusFrame): Link {
    const preSkip = frame.preSkip ?? 0;
    if (!(Number.isInteger(preSkip) && preSkip >= 0 && preSkip <= 0xffff))
      throw new OrgoError('ORGO_BAD_INPUT', `preSkip is ${preSkip}: it must be a whole number up to 65535`);
    return {
      serial: Math.floor(this.random() * 2 ** 32),
      format: frame.format,
      preSkip,
      nextSequence: 0,
      granule: 0,
      sound: 0,
      ended: false,
      stereo: false,
      end: after(frame),
      page: emptyPage(),
    };
  }

  /** Adds a packet to the page, which goes out as soon as no other of its length has room. */
  private add(link: Link, frame: OpusFrame, samples: number, out: OggFrame[]): void {
    const segments = segmentsOf(frame.data);
    if (!hasRoom(link.page, segments, samples)) out.push(finishPage(link, false));
    const { page } = link;
    // A copy: the packet may be a small part of a large payload, which would stay in memory with it.
    page.frames.push({ ...frame, data: Buffer.from(frame.data) });
    page.segments += segments;
    page.samples += samples;
    link.granule += samples;
    link.end = after(frame);
    const sound = Math.min(samples, clockSamples(frame.samples, frame.format.sampleRate));
    link.sound += sound;
    link.ended ||= sound < samples;
    if (!link.ended && !hasRoom(page, segments, samples)) out.push(finishPage(link, false));
  }
}

function hasRoom(page: Page, segments: number, samples: number): boolean {
  return (
    page.frames.length === 0 ||
    (page.segments + segments <= MAX_SEGMENTS && page.samples + samples <= MAX_PAGE_SAMPLES)
  );
}

function emptyPage(): Page {
  return { frames: [], segments: 0, samples: 0 };
}

/** Packets of no sound for what is missing before `frame`, each with its place. */
function standIns(frame: OpusFrame, stereo: boolean): OpusFrame[] {
  const { sampleRate } = frame.format;
  let left = frame.gap;
  return lostPackets(clockSamples(frame.gap, sampleRate), stereo).map((data) => {
    const samples = Math.min(left, Math.round((parsePacket(data).samples * sampleRate) / OPUS_CLOCK_RATE));
    const time = frame.time - (left * 1000) / sampleRate;
    const standIn = { ...frame, data, samples, position: frame.position - left, time, gap: 0 };
    left -= samples;
    return standIn;
  });
}

/** The page as a frame, after the headers if it is the first; the next one is empty. */
function finishPage(link: Link, last: boolean): OggFrame {
  const { page, format } = link;
  const parts = link.nextSequence === 0 ? headerPages(link) : [];
  // The last page's position trims the padding at the end (RFC 7845 §4.4).
  const end = last ? Math.min(link.granule, link.preSkip + link.sound) : link.granule;
  const granule = page.frames.length > 0 ? BigInt(end) : NO_GRANULE;
  const { serial } = link;
  const header = { first: false, last, granule, serial, sequence: link.nextSequence++ };
  parts.push(
    writePage(
      header,
      page.frames.map((frame) => frame.data),
    ),
  );
  link.page = emptyPage();
  const first = page.frames[0] ?? link.end;
  return {
    format: { ...format, encoding: 'ogg' },
    data: Buffer.concat(parts),
    samples: page.frames.reduce((sum, frame) => sum + frame.samples, 0),
    position: first.position,
    time: first.time,
    gap: first.gap,
    latencyMs: first.latencyMs,
  };
}

/** No packet, at the place where `frame` ends. */
function after(frame: OpusFrame): OpusFrame {
  const { samples, position, time, format } = frame;
  return {
    ...frame,
    data: NOTHING,
    samples: 0,
    position: position + samples,
    time: time + (samples * 1000) / format.sampleRate,
    gap: 0,
  };
}

function headerPages(link: Link): Buffer[] {
  const { channels, sampleRate } = link.format;
  const head = writeOpusHead({ channels, preSkip: link.preSkip, inputSampleRate: sampleRate, gain: 0 });
  const { serial } = link;
  const page = { last: false, granule: 0n, serial };
  return [
    writePage({ ...page, first: true, sequence: link.nextSequence++ }, [head]),
    writePage({ ...page, first: false, sequence: link.nextSequence++ }, [opusTags()]),
  ];
}

/** The comment header (RFC 7845 §5.2): who wrote it, and no comments. */
function opusTags(): Buffer {
  const lengths = Buffer.alloc(4);
  lengths.writeUInt32LE(VENDOR.length);
  return Buffer.concat([Buffer.from('OpusTags'), lengths, Buffer.from(VENDOR), Buffer.alloc(4)]);
}

/** Samples at 48 kHz. */
function clockSamples(samples: number, sampleRate: number): number {
  return Math.round((samples * OPUS_CLOCK_RATE) / sampleRate);
}
