/** Which part of the sound each piece of encoded bytes is of. */
import type { AudioFrame, PcmFrame } from '../audio/frame';
import type { AudioFormat, Encoding } from '../audio/format';

/** Where a frame of the input began: its place, and how much sound had gone in before it. */
interface Anchor {
  readonly fed: number;
  readonly position: number;
  readonly time: number;
  readonly latencyMs: number;
}

/**
 * All outputs together are of exactly as much sound as went in, at the output's rate: what an encoder adds at either
 * end belongs to none of them.
 */
export class EncodedPlaces {
  private readonly anchors: Anchor[] = [];
  /** Samples per channel that went in, at the input's rate, and that came out, at the output's. */
  private fed = 0;
  private encoded = 0;
  private reported = 0;
  private expected: number | undefined;

  constructor(
    private readonly inputRate: number,
    private readonly delay: number,
  ) {}

  /** Takes note of what goes in next. */
  feed({ position, time, latencyMs, samples }: PcmFrame): void {
    this.anchors.push({ fed: this.fed, position, time, latencyMs });
    this.fed += samples;
  }

  /** The frame for `data`, which begins `samples` of encoded sound. */
  place(data: Buffer, samples: number, format: AudioFormat): AudioFrame {
    this.encoded += samples;
    return this.frame(data, Math.max(0, this.encoded - this.delay), format);
  }

  /** The frame for the last bytes: it stands for all sound that is left. */
  last(data: Buffer, format: AudioFormat): AudioFrame {
    return this.frame(data, Infinity, format);
  }

  private frame<E extends Encoding>(data: Buffer, until: number, format: AudioFormat<E>): AudioFrame<E> {
    const { sampleRate } = format;
    const end = Math.min(until, Math.round((this.fed * sampleRate) / this.inputRate));
    const begin = this.reported;
    this.reported = Math.max(begin, end);
    const anchor = this.anchorAt((begin * this.inputRate) / sampleRate);
    const sinceAnchor = begin / sampleRate - anchor.fed / this.inputRate;
    const position = Math.round((anchor.position * sampleRate) / this.inputRate + sinceAnchor * sampleRate);
    const gap = Math.max(0, position - (this.expected ?? position));
    const samples = this.reported - begin;
    this.expected = position + samples;
    return {
      ...{ format, data, samples, position, gap },
      time: anchor.time + sinceAnchor * 1000,
      latencyMs: anchor.latencyMs,
    };
  }

  /** The latest frame of the input that begins at or before `fed`; asked in order. */
  private anchorAt(fed: number): Anchor {
    for (let next = this.anchors[1]; next && next.fed <= fed; next = this.anchors[1]) this.anchors.shift();
    return this.anchors[0] ?? { fed: 0, position: 0, time: 0, latencyMs: 0 };
  }
}
