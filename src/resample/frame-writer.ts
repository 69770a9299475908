/** Writes floats into a Buffer of PCM: rounded, clipped, spread over the channels. */
import { bytesPerSample, type PcmFormat } from '../audio/format';
import { floatToS16, S16_FULL_SCALE, viewOf } from '../audio/samples';

const S16_LOWEST_CLIPPED = 32767.5 / S16_FULL_SCALE;
const S16_HIGHEST_CLIPPED = -32768.5 / S16_FULL_SCALE;

export class FrameWriter {
  /** Samples so far that were beyond what s16 holds, counted once for each channel. */
  clipped = 0;
  /** What is being written. */
  data: Buffer = Buffer.alloc(0);
  private samples: Int16Array | Float32Array = new Float32Array(0);

  constructor(readonly format: PcmFormat) {}

  /** Starts a fresh Buffer for `samples` samples per channel; all of them must be written. */
  begin(samples: number): void {
    this.data = Buffer.allocUnsafe(samples * bytesPerSample(this.format));
    this.samples = viewOf(this.data, this.format.encoding);
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
    for (let i = 0, to = first; i < count; i++, to += stride) {
      const value = values[i] ?? 0;
      if (value >= S16_LOWEST_CLIPPED || value < S16_HIGHEST_CLIPPED) this.clipped++;
      samples[to] = floatToS16(value);
    }
  }

  private duplicate(first: number, count: number): void {
    const { samples } = this;
    for (let i = 0, at = first; i < count; i++, at += 2) samples[at + 1] = samples[at] ?? 0;
  }
}
