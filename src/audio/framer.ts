/** Cuts PCM of any lengths into frames of one length, each with its place on the sample clock. */
import { bytesPerSample, msOfSamples, type PcmFormat, type PcmEncoding } from './format';
import { sliceFrame, type PcmFrame } from './frame';
import type { Transform } from './transform';

/** What waits for the rest of its frame. */
interface Held {
  /** Place of its first sample. */
  readonly first: PcmFrame;
  /** Of a whole frame; its own memory, since a few samples must not keep a whole payload. */
  readonly data: Buffer;
  samples: number;
}

/**
 * Emits frames of exactly `frameSamples`; a gap or a flush lets the shorter rest go first.
 * The memory of a frame that needs no joining is the input's own; nothing is copied then.
 */
export class Framer implements Transform<PcmEncoding, PcmFrame> {
  private held: Held | undefined;
  private readonly sampleBytes: number;

  /** @throws RangeError for frames without a sample, of which there would be no end */
  constructor(
    readonly format: PcmFormat,
    readonly frameSamples: number,
  ) {
    if (!(frameSamples >= 1)) throw new RangeError(`Framer: frames of ${frameSamples} samples`);
    this.sampleBytes = bytesPerSample(format);
  }

  push(frame: PcmFrame): PcmFrame[] {
    const out = frame.gap > 0 ? this.flush() : [];
    for (let start = 0; start < frame.samples;) {
      const end = Math.min(frame.samples, start + this.frameSamples - (this.held?.samples ?? 0));
      if (!this.held && end - start === this.frameSamples) out.push(sliceFrame(frame, start, end));
      else this.hold(frame, start, end, out);
      start = end;
    }
    return out;
  }

  flush(): PcmFrame[] {
    const { held } = this;
    this.held = undefined;
    if (!held) return [];
    const { first, data, samples } = held;
    return [{ ...first, data: data.subarray(0, samples * this.sampleBytes), samples }];
  }

  close(): void {
    this.held = undefined;
  }

  /** Milliseconds of sound that wait for the rest of their frame. */
  get heldMs(): number {
    return msOfSamples(this.format.sampleRate, this.held?.samples ?? 0);
  }

  private hold(frame: PcmFrame, start: number, end: number, out: PcmFrame[]): void {
    const { sampleBytes } = this;
    this.held ??= {
      first: { ...sliceFrame(frame, start, start), data: NOTHING },
      data: Buffer.allocUnsafe(this.frameSamples * sampleBytes),
      samples: 0,
    };
    const { held } = this;
    frame.data.copy(held.data, held.samples * sampleBytes, start * sampleBytes, end * sampleBytes);
    held.samples += end - start;
    if (held.samples === this.frameSamples) out.push(...this.flush());
  }
}

const NOTHING = Buffer.alloc(0);
