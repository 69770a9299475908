/** Encodes one unbroken run of sound: a fresh encoder, from the first sample to the padding after the last. */
import { bytesPerSample, samplesInMs, type PcmEncoding, type PcmFormat } from '../audio/format';
import { emptyAfter, type AudioFrame, type PcmFrame } from '../audio/frame';
import { Framer } from '../audio/framer';
import { fillGap } from '../audio/gaps';
import type { Transform } from '../audio/transform';
import { Resampler } from '../resample/resampler';
import { OpusCodec } from './codec';
import { OPUS_RATES, type OpusLibrary, type OpusRate } from './library';
import { OPUS_CLOCK_RATE } from './packet';
import { applyEncoderSettings, LOOKAHEAD_SAMPLES, type OpusEncoderSettings } from './settings';

export type OpusFrame = AudioFrame<'opus'>;

/** The lowest rate of Opus that loses nothing of `sampleRate`. */
export function opusRateFor(sampleRate: number): OpusRate {
  return OPUS_RATES.find((rate) => rate >= sampleRate) ?? OPUS_CLOCK_RATE;
}

export class EncoderRun implements Transform<PcmEncoding, OpusFrame> {
  private readonly format: PcmFormat;
  private readonly resampler: Resampler;
  private readonly codec: OpusCodec;
  /** Look-ahead, samples at 48 kHz. */
  private readonly preSkip: number;
  private framer: Framer;
  private begun = false;
  /** The latest frame encoded, without its sound: what the padding after it continues. */
  private last: PcmFrame | undefined;

  /** @throws OrgoError `ORGO_OPUS_FAILED` */
  constructor(
    { sampleRate, channels }: PcmFormat,
    private settings: OpusEncoderSettings,
    library: OpusLibrary,
  ) {
    const rate = opusRateFor(sampleRate);
    this.format = { encoding: 's16le', sampleRate: rate, channels };
    this.codec = new OpusCodec(library, rate, channels);
    applyEncoderSettings(this.codec, settings, true);
    this.resampler = new Resampler({ sampleRate: rate, encoding: 's16le' });
    this.preSkip = LOOKAHEAD_SAMPLES[settings.application];
    this.framer = framerFor(this.format, settings);
  }

  /** Takes over settings with the same `application`, which an encoder keeps for life. */
  configure(settings: OpusEncoderSettings): OpusFrame[] {
    const { frameMs } = this.settings;
    this.settings = settings;
    applyEncoderSettings(this.codec, settings, false);
    if (settings.frameMs === frameMs) return [];
    const held = this.framer.flush();
    this.framer = framerFor(this.format, settings);
    return this.encodeAll(held);
  }

  /** The gap of the run's first frame lies before the run; any other one that gets here is filled. */
  push(frame: PcmFrame): OpusFrame[] {
    const { filler, sound } = fillGap(frame, this.begun ? frame.gap : 0);
    const silent = filler ? this.encodeAll(this.resampler.push(filler)) : [];
    const out = this.encodeAll(this.resampler.push(sound));
    this.begun = true;
    return filler ? silent.concat(out) : out;
  }

  flush(): OpusFrame[] {
    const out = this.encodeAll(this.resampler.flush());
    for (const rest of this.framer.flush()) out.push(this.encode(rest));
    this.drain(out);
    return out;
  }

  close(): void {
    this.codec.close();
    this.resampler.close();
  }

  private encodeAll(sound: readonly PcmFrame[]): OpusFrame[] {
    const out: OpusFrame[] = [];
    for (const frame of sound) {
      for (const whole of this.framer.push(frame)) out.push(this.encode(whole));
    }
    return out;
  }

  /** A frame that is too short is padded with silence. */
  private encode(frame: PcmFrame): OpusFrame {
    // Without its sound, which may be a view of a long payload.
    this.last = { ...frame, data: NOTHING };
    const { sampleRate, channels } = this.format;
    const length = this.framer.frameSamples * bytesPerSample(this.format);
    return {
      ...frame,
      format: { encoding: 'opus', sampleRate, channels },
      data: this.codec.encode(frame.data.length === length ? frame.data : padded(frame.data, length)),
      preSkip: this.preSkip,
    };
  }

  /** Encodes silence until the look-ahead after the last sample has come out. */
  private drain(out: OpusFrame[]): void {
    const { last } = this;
    if (!last) return;
    const { frameSamples } = this.framer;
    const lookahead = (this.preSkip * this.format.sampleRate) / OPUS_CLOCK_RATE;
    const end = emptyAfter(last);
    for (let held = lookahead - (frameSamples - last.samples); held > 0; held -= frameSamples)
      out.push(this.encode(end));
  }
}

const NOTHING = Buffer.alloc(0);

function framerFor(format: PcmFormat, settings: OpusEncoderSettings): Framer {
  return new Framer(format, samplesInMs(format.sampleRate, settings.frameMs));
}

function padded(data: Buffer, length: number): Buffer {
  const whole = Buffer.alloc(length);
  data.copy(whole);
  return whole;
}
