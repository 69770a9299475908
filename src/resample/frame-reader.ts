/** Reads one channel of a PCM frame as floats: mixed down, with gain, and without what is no number. */
import { S16_FULL_SCALE, viewOf } from '../audio/samples';
import type { PcmFrame } from '../audio/frame';

/** Where floats are read. A larger one would overflow in a filter, and stay in it for ever. */
const LIMIT = 32768;

const NOTHING = new Float32Array(0);

export class FrameReader {
  private samples: Int16Array | Float32Array = NOTHING;
  private channels = 1;
  private scale = 1;

  /** @param gain factor on every sample */
  constructor(private readonly gain: number) {}

  /** Makes `frame` the one to read. */
  load(frame: PcmFrame): void {
    this.samples = viewOf(frame.data, frame.format.encoding);
    this.channels = frame.format.channels;
    this.scale = this.gain / (frame.format.encoding === 's16le' ? S16_FULL_SCALE : 1);
  }

  /** Lets go of the frame, whose payload may be large. */
  release(): void {
    this.samples = NOTHING;
  }

  /**
   * Writes `count` samples from `start` on into `out` at `at`.
   * @param channel 0, 1, or `mix` for the average of all
   */
  read(channel: number | 'mix', start: number, count: number, out: Float32Array, at: number): void {
    if (this.samples instanceof Float32Array) this.readFloats(this.samples, channel, start, count, out, at);
    else this.readIntegers(this.samples, channel, start, count, out, at);
  }

  private readIntegers(
    samples: Int16Array,
    channel: number | 'mix',
    start: number,
    count: number,
    out: Float32Array,
    at: number,
  ): void {
    const { channels, scale } = this;
    const end = at + count;
    if (channel === 'mix' && channels === 2) {
      const half = scale / 2;
      for (let i = start * 2; at < end; i += 2, at++) {
        out[at] = ((samples[i] ?? 0) + (samples[i + 1] ?? 0)) * half;
      }
    } else {
      const first = start * channels + (channel === 'mix' ? 0 : channel);
      for (let i = first; at < end; i += channels, at++) out[at] = (samples[i] ?? 0) * scale;
    }
  }

  private readFloats(
    samples: Float32Array,
    channel: number | 'mix',
    start: number,
    count: number,
    out: Float32Array,
    at: number,
  ): void {
    const { channels, scale } = this;
    const end = at + count;
    if (channel === 'mix' && channels === 2) {
      const half = scale / 2;
      for (let i = start * 2; at < end; i += 2, at++) {
        out[at] = (tame(samples[i] ?? 0) + tame(samples[i + 1] ?? 0)) * half;
      }
    } else {
      const first = start * channels + (channel === 'mix' ? 0 : channel);
      for (let i = first; at < end; i += channels, at++) out[at] = tame(samples[i] ?? 0) * scale;
    }
  }
}

/** What is no number is silence, ±∞ is full scale. */
function tame(value: number): number {
  if (value >= -LIMIT && value <= LIMIT) return value;
  if (Number.isNaN(value)) return 0;
  if (Number.isFinite(value)) return value > 0 ? LIMIT : -LIMIT;
  return value > 0 ? 1 : -1;
}
