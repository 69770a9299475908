/** The recent past of one stream, sample for sample as it came, from which stretches are read back. */
import { bytesPerSample, msOfSamples, samplesInMs, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';

/** Long enough that a stretch is few blocks, short enough that little is kept beyond what is asked for. */
const BLOCK_MS = 100;

const NOTHING = Buffer.alloc(0);

interface Block {
  readonly position: number;
  readonly time: number;
  readonly data: Buffer;
  /** Samples written so far. */
  samples: number;
}

/** Takes unbroken frames; what is read is a copy, since a flow may write into what it was sent. */
export class History {
  private readonly blocks: Block[] = [];
  private readonly blockSamples: number;
  private readonly sampleBytes: number;
  /** Position after the last sample. */
  end: number;
  /** Delay that the sound had when it came, ms. */
  latencyMs = 0;

  constructor(
    private readonly format: PcmFormat,
    /** Position of the first sample. */
    readonly start: number,
  ) {
    this.blockSamples = samplesInMs(format.sampleRate, BLOCK_MS);
    this.sampleBytes = bytesPerSample(format);
    this.end = start;
  }

  /** Samples that are held. */
  get held(): number {
    return this.end - (this.blocks[0]?.position ?? this.end);
  }

  append(frame: PcmFrame): void {
    this.latencyMs = frame.latencyMs;
    for (let from = 0; from < frame.samples;) {
      const block = this.blockToFill(frame, from);
      const count = Math.min(frame.samples - from, this.blockSamples - block.samples);
      const at = block.samples * this.sampleBytes;
      frame.data.copy(block.data, at, from * this.sampleBytes, (from + count) * this.sampleBytes);
      block.samples += count;
      this.end += count;
      from += count;
    }
  }

  /**
   * The samples of the positions `[from, to)`, without a gap before them.
   * @throws RangeError where any of them is not held
   */
  read(from: number, to: number): PcmFrame {
    const { sampleBytes } = this;
    const first = this.blockOf(from);
    const block = this.blocks[first];
    if (!block || from < block.position || to > this.end || from > to) {
      throw new RangeError(`History.read: [${from}, ${to}) is not within what is held`);
    }
    const parts: Buffer[] = [];
    for (let i = first, at = from; at < to; i++) {
      const { position, samples, data } = this.blocks[i] ?? block;
      const end = Math.min(to, position + samples);
      parts.push(data.subarray((at - position) * sampleBytes, (end - position) * sampleBytes));
      at = end;
    }
    return { ...this.at(from), data: Buffer.concat(parts), samples: to - from };
  }

  /** The place of `position`, as a frame without sound. */
  at(position: number): PcmFrame {
    const { format, latencyMs } = this;
    return { format, data: NOTHING, samples: 0, position, time: this.timeOf(position), gap: 0, latencyMs };
  }

  /** When the sample at `position` was captured, epoch ms. */
  timeOf(position: number): number {
    const block = this.blocks[this.blockOf(position)];
    return block ? block.time + msOfSamples(this.format.sampleRate, position - block.position) : 0;
  }

  /** Frees what lies before `position`, in whole blocks. */
  forgetBefore(position: number): void {
    const count = this.blockOf(position);
    if (count > 0) this.blocks.splice(0, count);
  }

  private blockToFill(frame: PcmFrame, from: number): Block {
    const last = this.blocks.at(-1);
    if (last && last.samples < this.blockSamples) return last;
    const block: Block = {
      position: this.end,
      time: frame.time + msOfSamples(this.format.sampleRate, from),
      data: Buffer.allocUnsafeSlow(this.blockSamples * this.sampleBytes),
      samples: 0,
    };
    this.blocks.push(block);
    return block;
  }

  /** Index of the block that holds `position`; the nearest one where none does. */
  private blockOf(position: number): number {
    const first = this.blocks[0];
    if (!first) return 0;
    const index = Math.floor((position - first.position) / this.blockSamples);
    return Math.max(0, Math.min(index, this.blocks.length - 1));
  }
}
