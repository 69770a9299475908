/** An Ogg or WebM stream of Opus to PCM, trimmed at both ends: as many samples out as went in. */
import { OrgoError } from '../audio/errors';
import type { AudioFrame, PcmFrame } from '../audio/frame';
import { moved, positionAtRate, type Place } from '../audio/place';
import type { Transform } from '../audio/transform';
import { OpusDecoder, type OpusDecoderOptions, type PacketFrame } from '../opus/decoder';
import type { Demuxed, DemuxedPacket, Demuxer } from './demuxer';
import { PAGE_MAGIC } from './ogg-page';
import { OggReader } from './ogg-reader';
import type { OpusHead } from './opus-head';
import { MAX_PACKET_SAMPLES, OPUS_CLOCK_RATE } from '../opus/packet';
import { EBML_MAGIC, WebmReader } from './webm-reader';

const MAGIC_BYTES = 4;
/**
 * Work that is done in one go, in samples at 48 kHz to be decoded. These 200 ms take 2 ms of CPU, on a small computer
 * 10; the last packet, of at most 120 ms, and the concealment of a loss before it may come on top.
 */
const SLICE_WORK = 9600;
/** What a new decoder costs, in the same measure. */
const HEAD_WORK = SLICE_WORK / 4;

/** A stream of Opus within the file. Samples are at 48 kHz. */
interface Link {
  readonly head: OpusHead;
  readonly decoder: OpusDecoder;
  /** Of the first sample that comes out. */
  readonly start: Place;
  readonly latencyMs: number;
  /** Length of the packets so far, with those that are missing. */
  length: number;
  /** Padding in them, at the end. */
  padding: number;
}

/**
 * Recognises Ogg and WebM by the first bytes. The samples count from the `position` and `time` of the first frame of
 * bytes; those of the later ones say nothing of the sound in them. Streams that are chained follow each other.
 */
export class ContainerDecoder implements Transform<'ogg' | 'webm', PcmFrame> {
  private demuxer: Demuxer | undefined;
  /** The first bytes, while they are too few to recognise. */
  private held = Buffer.alloc(0);
  private link: Link | undefined;
  private start: (Place & { latencyMs: number }) | undefined;

  /** @param options where `channels` is left out, those of the stream; its gain is added to `gain` */
  constructor(private readonly options: OpusDecoderOptions = {}) {
    new OpusDecoder(options).close();
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` where the bytes hold no Opus; what follows is taken for a new file */
  push(frame: AudioFrame<'ogg' | 'webm'>): PcmFrame[] {
    return [...this.pushInSlices(frame)].flat();
  }

  *pushInSlices(frame: AudioFrame<'ogg' | 'webm'>): Generator<PcmFrame[], void> {
    const { sampleRate } = frame.format;
    this.start ??= {
      position: positionAtRate(frame.position, sampleRate, OPUS_CLOCK_RATE),
      time: frame.time,
      sampleRate: OPUS_CLOCK_RATE,
      latencyMs: frame.latencyMs,
    };
    let slice: PcmFrame[] = [];
    let work = 0;
    try {
      for (const item of this.read(frame.data)) {
        if (item.kind === 'head') this.begin(item.head, this.start, slice);
        else if (item.kind === 'packet' && this.link) this.decode(this.link, item, slice);
        work += workOf(item);
        if (work < SLICE_WORK) continue;
        yield slice;
        slice = [];
        work = 0;
      }
    } catch (error) {
      this.close();
      throw error;
    }
    yield slice;
  }

  flush(): PcmFrame[] {
    const out = this.link?.decoder.flush() ?? [];
    this.close();
    return out;
  }

  close(): void {
    this.link?.decoder.close();
    this.link = undefined;
    this.demuxer = undefined;
    this.start = undefined;
    this.held = Buffer.alloc(0);
  }

  private *read(data: Buffer): Generator<Demuxed, void> {
    const bytes = this.held.length > 0 ? Buffer.concat([this.held, data]) : data;
    if (!this.demuxer) {
      this.demuxer = demuxerFor(bytes);
      this.held = this.demuxer ? Buffer.alloc(0) : Buffer.from(bytes);
      if (!this.demuxer) return;
    }
    yield* this.demuxer.push(bytes);
  }

  private begin(head: OpusHead, start: Place & { latencyMs: number }, out: PcmFrame[]): void {
    const { link } = this;
    if (link) {
      out.push(...link.decoder.flush());
      link.decoder.close();
    }
    this.link = {
      head,
      decoder: new OpusDecoder({ ...this.options, gain: (this.options.gain ?? 0) + head.gain }),
      start: link ? endOf(link) : start,
      latencyMs: start.latencyMs,
      length: 0,
      padding: 0,
    };
  }

  private decode(link: Link, packet: DemuxedPacket, out: PcmFrame[]): void {
    const { data, samples, missing, padding } = packet;
    const { head, start, latencyMs } = link;
    link.length += missing;
    const { position, time } = moved(start, link.length - link.padding);
    const frame: PacketFrame = {
      format: { encoding: 'opus', sampleRate: OPUS_CLOCK_RATE, channels: head.channels },
      data,
      samples: samples - padding,
      ...{ position, time },
      gap: missing,
      latencyMs,
      preSkip: head.preSkip,
      padding,
    };
    out.push(...link.decoder.push(frame));
    link.length += samples;
    link.padding += padding;
  }
}

/** What an item costs, in samples at 48 kHz to be decoded: bytes that are only read take less time than one each. */
function workOf(item: Demuxed): number {
  switch (item.kind) {
    case 'head':
      return HEAD_WORK;
    case 'packet':
      return item.samples + Math.min(item.missing, MAX_PACKET_SAMPLES);
    case 'read':
      return item.bytes;
  }
}

/** Just after the last sample that came out. */
function endOf({ head, start, length, padding }: Link): Place {
  return moved(start, Math.max(0, length - padding - head.preSkip));
}

/** Undefined where there are too few bytes. */
function demuxerFor(bytes: Buffer): Demuxer | undefined {
  for (const [magic, Reader] of [
    [PAGE_MAGIC, OggReader],
    [EBML_MAGIC, WebmReader],
  ] as const) {
    const seen = Math.min(MAGIC_BYTES, bytes.length);
    if (magic.compare(bytes, 0, seen, 0, seen) === 0) return seen < MAGIC_BYTES ? undefined : new Reader();
  }
  throw new OrgoError(
    'ORGO_BAD_INPUT',
    `The stream begins with ${bytes.toString('hex', 0, MAGIC_BYTES) || 'nothing'}: neither Ogg nor WebM. Send it from its beginning`,
  );
}
