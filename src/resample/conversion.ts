/** One stretch of sound, without gaps, from one format into another: rate, channels, encoding, gain. */
import { msOfSamples, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { msBetween } from '../audio/place';
import { kernel as sharedKernel, type Kernel } from '../kernels/index';
import { INPUT_LENGTH } from '../kernels/memory';
import { ratioOf } from './design';
import { filterFor } from './filter';
import { FrameReader } from './frame-reader';
import { FrameWriter, type ClipCount } from './frame-writer';
import type { Quality } from './presets';
import { convertPosition, RateConverter, type ReadSamples, type WriteSamples } from './rate-converter';

export interface ConversionOptions {
  readonly from: PcmFormat;
  readonly to: PcmFormat;
  readonly quality: Quality;
  /** Factor on every sample. */
  readonly gain: number;
  readonly kernel?: Kernel | undefined;
  /** Counts what s16 can not hold. */
  readonly clips: ClipCount;
}

export class Conversion {
  /** What the filter adds, ms; 0 where the rates are the same. */
  readonly delayMs: number;
  private readonly reader: FrameReader;
  private readonly writer: FrameWriter;
  private readonly kernel: Kernel;
  private readonly ratio;
  private readonly converter: RateConverter | undefined;
  /** Two become one before, one becomes two after the filter. */
  private readonly readChannel: readonly [number | 'mix', number];
  private readonly writeChannel: readonly [number | 'all', number];
  private readonly channels: number;
  /** Of the next output. */
  private position = 0;
  private gap = 0;
  private begun = false;
  /**
   * Where the latest input frame begins, and the delay that its sound had: outputs are dated from it. One object for
   * all frames: a new one for each grows the heap out of the processor's cache, which cost 15 % of the time.
   */
  private readonly latest;

  constructor(private readonly options: ConversionOptions) {
    const { from, to, quality, gain, kernel = sharedKernel } = options;
    this.kernel = kernel;
    this.latest = { position: 0, time: 0, latencyMs: 0, sampleRate: from.sampleRate };
    this.reader = new FrameReader(gain);
    this.writer = new FrameWriter(to, options.clips);
    this.channels = Math.min(from.channels, to.channels);
    this.readChannel = [this.channels === 1 ? 'mix' : 0, 1];
    this.writeChannel = [this.channels === 1 ? 'all' : 0, 1];
    this.ratio = ratioOf(from.sampleRate, to.sampleRate);
    if (from.sampleRate === to.sampleRate) {
      this.delayMs = 0;
    } else {
      const filter = filterFor(this.ratio, quality);
      this.converter = new RateConverter(filter, this.channels, kernel);
      this.delayMs = msOfSamples(from.sampleRate, filter.table.half);
    }
  }

  /** Takes the next frame; the first of a stretch sets its place. */
  push(frame: PcmFrame): PcmFrame | undefined {
    const { converter, latest } = this;
    if (!this.begun) this.start(frame);
    latest.position = frame.position;
    latest.time = frame.time;
    latest.latencyMs = frame.latencyMs;
    this.reader.load(frame);
    const samples = converter ? converter.readyAfter(frame.samples) : frame.samples;
    if (samples > 0) this.writer.begin(samples);
    if (converter) converter.convert(frame.samples, this.read, this.write);
    else this.copy(frame.samples);
    this.reader.release();
    return this.emit(samples);
  }

  /** Ends the stretch: what the filter holds comes out. */
  finish(): PcmFrame | undefined {
    const { begun, converter } = this;
    this.begun = false;
    if (!begun || !converter) return undefined;
    const samples = converter.remaining;
    if (samples > 0) this.writer.begin(samples);
    converter.finish(this.write);
    return this.emit(samples);
  }

  private start(frame: PcmFrame): void {
    this.begun = true;
    this.position = this.converter?.start(frame.position) ?? frame.position;
    this.gap = this.position - convertPosition(frame.position - frame.gap, this.ratio);
  }

  private readonly read: ReadSamples = (channel, start, count, out, at) => {
    this.reader.read(this.readChannel[channel === 0 ? 0 : 1], start, count, out, at);
  };

  private readonly write: WriteSamples = (channel, start, count, values) => {
    this.writer.write(this.writeChannel[channel === 0 ? 0 : 1], start, count, values);
  };

  /** Rates are the same: everything but the filter. */
  private copy(samples: number): void {
    const { input } = this.kernel;
    for (let start = 0; start < samples; start += INPUT_LENGTH) {
      const count = Math.min(INPUT_LENGTH, samples - start);
      for (let channel = 0; channel < this.channels; channel++) {
        this.read(channel, start, count, input, 0);
        this.write(channel, start, count, input);
      }
    }
  }

  private emit(samples: number): PcmFrame | undefined {
    const { latest, position, gap } = this;
    const { to } = this.options;
    if (samples === 0) return undefined;
    this.position += samples;
    this.gap = 0;
    return {
      format: to,
      data: this.writer.take(),
      samples,
      position,
      time: latest.time + msBetween(latest, { position, sampleRate: to.sampleRate }),
      gap,
      latencyMs: latest.latencyMs + this.delayMs,
    };
  }
}
