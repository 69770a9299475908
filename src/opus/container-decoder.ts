/** An Ogg or WebM stream of Opus to PCM, trimmed at both ends: as many samples out as went in. */
import { OrgoError } from '../audio/errors';
import type { PcmEncoding } from '../audio/format';
import type { AudioFrame, PcmFrame, Transform } from '../audio/frame';
import { OpusDecoder, type OpusDecoderOptions } from './decoder';
import type { DemuxedPacket, Demuxer } from './demuxer';
import { PAGE_MAGIC } from './ogg-page';
import { OggReader } from './ogg-reader';
import type { OpusHead } from './opus-head';
import { OPUS_CLOCK_RATE, parsePacket } from './packet';
import { EBML_MAGIC, WebmReader } from './webm-reader';

const MAGIC_BYTES = 4;

/** A place on the stream's clock: samples at 48 kHz, epoch ms. */
interface Place {
  readonly position: number;
  readonly time: number;
}

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
 * Tells Ogg from WebM by the first bytes. The samples count from the `position` and `time` of the first frame of
 * bytes; those of the later ones say nothing of the sound in them. Streams that are chained follow each other.
 */
export class ContainerDecoder implements Transform<'ogg', PcmEncoding> {
  private demuxer: Demuxer | undefined;
  /** The first bytes, while there are too few to tell what they are. */
  private held = Buffer.alloc(0);
  private link: Link | undefined;
  private start: (Place & { latencyMs: number }) | undefined;

  /** @param options where `channels` is left out, those of the stream; its gain is added to `gain` */
  constructor(private readonly options: OpusDecoderOptions = {}) {
    new OpusDecoder(options).close();
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` where the bytes hold no Opus; what follows is taken for a new file */
  push(frame: AudioFrame<'ogg'>): PcmFrame[] {
    const { sampleRate } = frame.format;
    this.start ??= {
      position: Math.round((frame.position * OPUS_CLOCK_RATE) / sampleRate),
      time: frame.time,
      latencyMs: frame.latencyMs,
    };
    const out: PcmFrame[] = [];
    try {
      this.read(frame.data, this.start, out);
    } catch (error) {
      this.close();
      throw error;
    }
    return out;
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

  private read(data: Buffer, start: Place & { latencyMs: number }, out: PcmFrame[]): void {
    const bytes = this.held.length > 0 ? Buffer.concat([this.held, data]) : data;
    if (!this.demuxer) {
      this.demuxer = demuxerFor(bytes);
      this.held = this.demuxer ? Buffer.alloc(0) : Buffer.from(bytes);
      if (!this.demuxer) return;
    }
    for (const item of this.demuxer.push(bytes)) {
      if (item.kind === 'head') this.begin(item.head, start, out);
      else if (this.link) this.decode(this.link, item, out);
    }
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

  private decode(link: Link, { data, missing, padding }: DemuxedPacket, out: PcmFrame[]): void {
    const { samples } = parsePacket(data);
    const { head, start, latencyMs } = link;
    link.length += missing;
    const behind = link.length - link.padding;
    const packet: AudioFrame<'opus'> = {
      format: { encoding: 'opus', sampleRate: OPUS_CLOCK_RATE, channels: head.channels },
      data,
      samples: samples - padding,
      position: start.position + behind,
      time: start.time + (behind * 1000) / OPUS_CLOCK_RATE,
      gap: missing,
      latencyMs,
      preSkip: head.preSkip,
    };
    out.push(...link.decoder.push(packet, padding));
    link.length += samples;
    link.padding += padding;
  }
}

/** Just behind the last sample that came out. */
function endOf({ head, start, length, padding }: Link): Place {
  const samples = Math.max(0, length - padding - head.preSkip);
  return { position: start.position + samples, time: start.time + (samples * 1000) / OPUS_CLOCK_RATE };
}

/** Whether `bytes` begin an Ogg or WebM stream. */
export function isContainer(bytes: Buffer): boolean {
  return [PAGE_MAGIC, EBML_MAGIC].some((magic) => magic.equals(bytes.subarray(0, MAGIC_BYTES)));
}

/** Undefined where there are too few bytes to tell. */
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
