/** Writes floats into a Buffer of PCM: rounded, clipped, spread over the channels. */
import { bytesPerSample, type PcmFormat } from '../audio/format';
import { S16_FULL_SCALE, viewOf } from '../audio/samples';

// A constant of this module: one that is imported is looked up at every turn of a loop.
const FULL_SCALE = S16_FULL_SCALE;
const S16_MAX = FULL_SCALE - 1;

const NO_BYTES = Buffer.alloc(0);
const NO_SAMPLES = new Float32Array(0);

/** Counts, over all runs of a stream. */
export interface ClipCount {
  /** Samples that were beyond what s16 holds, counted once for each channel. */
  clipped: number;
}

export class FrameWriter {
  private data: Buffer = NO_BYTES;
  private samples: Int16Array | Float32Array = NO_SAMPLES;

  constructor(
    readonly format: PcmFormat,
    private readonly clips: ClipCount,
  ) {}

  /** Starts a fresh Buffer for `samples` samples per channel; all of them must be written. */
  begin(samples: number): void {
    this.data = Buffer.allocUnsafe(samples * bytesPerSample(this.format));
    this.samples = viewOf(this.data, this.format.encoding);
  }

  /** What was written since {@link begin}; it is not kept here. */
  take(): Buffer {
    const { data } = this;
    this.data = NO_BYTES;
    this.samples = NO_SAMPLES;
    return data;
  }

  /**
   * Writes `count` values from `values` on, from sample `start` on.
   * @param channel 0, 1, or `all`
   */
  write(channel: number | 'all', start: number, count: number, values: Float32Array): void {
    const { channels } = this.format;
    const first = start * channels + (channel === 'all' ? 0 : channel);
    this.writeStrided(first, channels, count, values);
    if (channel === 'all' && channels === 2) this.duplicate(first, count);
  }

  private writeStrided(first: number, stride: number, count: number, values: Float32Array): void {
    const { samples } = this;
    if (samples instanceof Float32Array) {
      for (let i = 0, to = first; i < count; i++, to += stride) samples[to] = values[i] ?? 0;
      return;
    }
    let clipped = 0;
    for (let i = 0, to = first; i < count; i++, to += stride) {
      let value = Math.round((values[i] ?? 0) * FULL_SCALE);
      if (value > S16_MAX) {
        value = S16_MAX;
        clipped++;
      } else if (value < -FULL_SCALE) {
        value = -FULL_SCALE;
        clipped++;
      }
      samples[to] = value;
    }
    this.clips.clipped += clipped;
  }

  private duplicate(first: number, count: number): void {
    const { samples } = this;
    for (let i = 0, at = first; i < count; i++, at += 2) samples[at + 1] = samples[at] ?? 0;
  }
}
