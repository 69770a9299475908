/** Writes one logical Ogg stream, from its headers to the page that trims it; streams chained make a file. */
import { OrgoError } from '../audio/errors';
import { emptyAfter, type AudioFrame } from '../audio/frame';
import { moved, positionAtRate, startOf } from '../audio/place';
import type { Transform } from '../audio/transform';
import type { OpusFrame } from '../opus/encoder';
import { lostPackets, OPUS_CLOCK_RATE, parsePacket } from '../opus/packet';
import { MAX_SEGMENTS, NO_GRANULE, segmentsOf, writePage } from './ogg-page';
import { writeOpusHead } from './opus-head';

/** A page lasts at most 100 ms, so that a live listener lags no more than that. Samples at 48 kHz */
const MAX_PAGE_SAMPLES = 4800;
const VENDOR = 'node-red-contrib-orgo-audio';

/** What goes into the next page. */
interface Page {
  readonly frames: OpusFrame[];
  segments: number;
  samples: number;
}

/** Samples are at 48 kHz. */
export class OggLink implements Transform<'opus', AudioFrame<'ogg'>> {
  readonly format: OpusFrame['format'];
  private readonly serial: number;
  private readonly preSkip: number;
  private nextSequence = 0;
  /** Length of the packets so far, padding included. */
  private granule = 0;
  /** Length of the sound in them. */
  private sound = 0;
  private isEnded = false;
  private stereo = false;
  /** Where the latest packet ends. */
  private end: OpusFrame;
  private page = emptyPage();

  /**
   * @param random from 0 to 1, for the serial number
   * @throws OrgoError `ORGO_BAD_INPUT` for a `preSkip` that the header can't hold
   */
  constructor(first: OpusFrame, random: number) {
    const { preSkip = 0 } = first;
    if (!(Number.isInteger(preSkip) && preSkip >= 0 && preSkip <= 0xffff))
      throw new OrgoError('ORGO_BAD_INPUT', `preSkip is ${preSkip}: it must be a whole number up to 65535`);
    this.format = first.format;
    this.serial = Math.floor(random * 2 ** 32);
    this.preSkip = preSkip;
    this.end = emptyAfter(first);
  }

  /** Whether a packet was filled up with silence: the stream's end. */
  get ended(): boolean {
    return this.isEnded;
  }

  /** What is missing before the first packet lies before the stream; any other loss is filled. */
  push(frame: OpusFrame): AudioFrame<'ogg'>[] {
    const { samples, stereo } = parsePacket(frame.data);
    const out: AudioFrame<'ogg'>[] = [];
    const isFilled = frame.gap > 0 && this.granule > 0;
    if (isFilled) {
      for (const lost of standIns(frame, this.stereo)) this.add(lost, parsePacket(lost.data).samples, out);
    }
    this.stereo = stereo;
    this.add(isFilled ? { ...frame, gap: 0 } : frame, samples, out);
    return out;
  }

  /** Writes the last page. */
  flush(): AudioFrame<'ogg'>[] {
    return this.granule > 0 ? [this.finishPage(true)] : [];
  }

  close(): void {
    this.page = emptyPage();
  }

  /** Adds a packet to the page, which goes out as soon as no other of its length has room. */
  private add(frame: OpusFrame, samples: number, out: AudioFrame<'ogg'>[]): void {
    const segments = segmentsOf(frame.data);
    if (!hasRoom(this.page, segments, samples)) out.push(this.finishPage(false));
    const { page } = this;
    // A copy: the packet may be a small part of a large payload, which would stay in memory with it.
    page.frames.push({ ...frame, data: Buffer.from(frame.data) });
    page.segments += segments;
    page.samples += samples;
    this.granule += samples;
    this.end = emptyAfter(frame);
    const sound = Math.min(samples, clockSamples(frame.samples, frame.format.sampleRate));
    this.sound += sound;
    this.isEnded ||= sound < samples;
    if (!this.isEnded && !hasRoom(page, segments, samples)) out.push(this.finishPage(false));
  }

  /** The page as a frame, after the headers if it is the first; the next one is empty. */
  private finishPage(last: boolean): AudioFrame<'ogg'> {
    const { page, format, serial } = this;
    const parts = this.nextSequence === 0 ? this.headerPages() : [];
    // The last page's position trims the padding at the end (RFC 7845 §4.4).
    const end = last ? Math.min(this.granule, this.preSkip + this.sound) : this.granule;
    const granule = page.frames.length > 0 ? BigInt(end) : NO_GRANULE;
    const header = { first: false, last, granule, serial, sequence: this.nextSequence++ };
    parts.push(
      writePage(
        header,
        page.frames.map((frame) => frame.data),
      ),
    );
    this.page = emptyPage();
    const { position, time, gap, latencyMs } = page.frames[0] ?? this.end;
    return {
      format: { ...format, encoding: 'ogg' },
      data: Buffer.concat(parts),
      samples: page.frames.reduce((sum, frame) => sum + frame.samples, 0),
      ...{ position, time, gap, latencyMs },
    };
  }

  private headerPages(): Buffer[] {
    const { preSkip, serial } = this;
    const { channels, sampleRate } = this.format;
    const head = writeOpusHead({ channels, preSkip, inputSampleRate: sampleRate, gain: 0 });
    const page = { last: false, granule: 0n, serial };
    return [
      writePage({ ...page, first: true, sequence: this.nextSequence++ }, [head]),
      writePage({ ...page, first: false, sequence: this.nextSequence++ }, [opusTags()]),
    ];
  }
}

function emptyPage(): Page {
  return { frames: [], segments: 0, samples: 0 };
}

function hasRoom(page: Page, segments: number, samples: number): boolean {
  return (
    page.frames.length === 0 ||
    (page.segments + segments <= MAX_SEGMENTS && page.samples + samples <= MAX_PAGE_SAMPLES)
  );
}

/** Packets of no sound for what is missing before `frame`, each with its place. */
function standIns(frame: OpusFrame, stereo: boolean): OpusFrame[] {
  const { sampleRate } = frame.format;
  let left = frame.gap;
  return lostPackets(clockSamples(frame.gap, sampleRate), stereo).map((data) => {
    const length = positionAtRate(parsePacket(data).samples, OPUS_CLOCK_RATE, sampleRate);
    const samples = Math.min(left, length);
    const { position, time } = moved(startOf(frame), -left);
    left -= samples;
    return { ...frame, data, samples, position, time, gap: 0 };
  });
}

/** The comment header (RFC 7845 §5.2): who wrote it, and no comments. */
function opusTags(): Buffer {
  const lengths = Buffer.alloc(4);
  lengths.writeUInt32LE(VENDOR.length);
  return Buffer.concat([Buffer.from('OpusTags'), lengths, Buffer.from(VENDOR), Buffer.alloc(4)]);
}

/** Samples at 48 kHz. */
function clockSamples(samples: number, sampleRate: number): number {
  return positionAtRate(samples, sampleRate, OPUS_CLOCK_RATE);
}
