/** PCM of any rate to Opus packets of one length. */
import { bytesPerSample, sameFormat, samplesInMs, type PcmEncoding, type PcmFormat } from '../audio/format';
import type { AudioFrame, PcmFrame, Transform } from '../audio/frame';
import { Framer } from '../audio/framer';
import { checkInput } from '../resample/options';
import { Resampler } from '../resample/resampler';
import { chooseLibrary } from './choose-library';
import { OpusCodec } from './codec';
import { OPUS_RATES, type OpusLibrary, type OpusRate } from './library';
import { OPUS_CLOCK_RATE } from './packet';
import {
  applyEncoderSettings,
  DEFAULT_ENCODER_SETTINGS,
  LOOKAHEAD_SAMPLES,
  mergeEncoderSettings,
  type OpusEncoderSettings,
} from './settings';

const NOTHING = Buffer.alloc(0);

export type OpusFrame = AudioFrame<'opus'>;

/** One unbroken stretch of sound, from a first sample to a flush. */
interface Run {
  readonly from: PcmFormat;
  readonly format: PcmFormat;
  readonly resampler: Resampler;
  readonly codec: OpusCodec;
  framer: Framer;
  /** Where the next input frame begins if nothing is missing, at the input's rate. */
  expected: number;
  /** The latest frame encoded: what the padding after it continues. */
  last: PcmFrame | undefined;
}

/** The least rate that Opus takes and that holds all of `sampleRate`. */
export function opusRateFor(sampleRate: number): OpusRate {
  return OPUS_RATES.find((rate) => rate >= sampleRate) ?? OPUS_CLOCK_RATE;
}

/**
 * A packet's `position`, `time` and `samples` are those of the input that went into it, so they add up to exactly
 * what came; the decoder takes `preSkip` off. At a flush the last frame is padded with silence, and as many more
 * packets follow, with 0 `samples`, as the look-ahead needs to come out. A gap, a jump in `position` or a change of
 * format flushes, and a fresh encoder goes on after it.
 */
export class OpusEncoder implements Transform<PcmEncoding, 'opus'> {
  private run: Run | undefined;
  private current: OpusEncoderSettings;

  /** @throws OrgoError `ORGO_BAD_SETTING`, or `ORGO_OPUS_FAILED` where no library loads */
  constructor(
    settings: Partial<OpusEncoderSettings> = {},
    private readonly library: OpusLibrary = chooseLibrary(),
  ) {
    this.current = mergeEncoderSettings(DEFAULT_ENCODER_SETTINGS, settings);
  }

  get settings(): OpusEncoderSettings {
    return this.current;
  }

  /**
   * Changes settings for all that is encoded from now on. A change of `application` flushes, since an encoder keeps
   * it for life; a shorter `frameMs` may complete a frame: what comes out then is returned.
   * @throws OrgoError `ORGO_BAD_SETTING`, and nothing is changed
   */
  configure(changes: Partial<OpusEncoderSettings>): OpusFrame[] {
    const before = this.current;
    const after = mergeEncoderSettings(before, changes);
    const out = after.application === before.application ? [] : this.flush();
    this.current = after;
    const { run } = this;
    if (!run) return out;
    applyEncoderSettings(run.codec, after, false);
    if (after.frameMs === before.frameMs) return out;
    const held = run.framer.flush();
    run.framer = framerFor(run.format, after);
    return this.encodeAll(run, held, out);
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken; nothing is changed by it */
  push(frame: PcmFrame): OpusFrame[] {
    if (frame.samples === 0) return frame.gap > 0 ? this.flush() : [];
    checkInput(frame.format);
    const out = this.isBorder(frame) ? this.flush() : [];
    const run = (this.run ??= this.start(frame));
    const sound = run.resampler.push(frame);
    run.expected = frame.position + frame.samples;
    return this.encodeAll(run, sound, out);
  }

  flush(): OpusFrame[] {
    const { run } = this;
    if (!run) return [];
    const out = this.encodeAll(run, run.resampler.flush(), []);
    for (const rest of run.framer.flush()) out.push(this.encode(run, rest));
    this.drain(run, out);
    this.close();
    return out;
  }

  close(): void {
    this.run?.codec.close();
    this.run?.resampler.close();
    this.run = undefined;
  }

  private isBorder(frame: PcmFrame): boolean {
    const { run } = this;
    if (!run) return false;
    return frame.gap > 0 || frame.position !== run.expected || !sameFormat(frame.format, run.from);
  }

  private start(frame: PcmFrame): Run {
    const { channels, sampleRate } = frame.format;
    const rate = opusRateFor(sampleRate);
    const format: PcmFormat = { encoding: 's16le', sampleRate: rate, channels };
    const codec = new OpusCodec(this.library, rate, channels);
    applyEncoderSettings(codec, this.current, true);
    return {
      from: frame.format,
      format,
      resampler: new Resampler({ sampleRate: rate, encoding: 's16le' }),
      codec,
      framer: framerFor(format, this.current),
      expected: frame.position,
      last: undefined,
    };
  }

  private encodeAll(run: Run, sound: readonly PcmFrame[], out: OpusFrame[]): OpusFrame[] {
    for (const frame of sound) {
      for (const whole of run.framer.push(frame)) out.push(this.encode(run, whole));
    }
    return out;
  }

  /** A frame that is too short is padded with silence. */
  private encode(run: Run, frame: PcmFrame): OpusFrame {
    // Without its sound, which may be a view of a long payload.
    run.last = { ...frame, data: NOTHING };
    const { sampleRate, channels } = run.format;
    const length = run.framer.frameSamples * bytesPerSample(run.format);
    return {
      ...frame,
      format: { encoding: 'opus', sampleRate, channels },
      data: run.codec.encode(frame.data.length === length ? frame.data : padded(frame.data, length)),
      preSkip: LOOKAHEAD_SAMPLES[this.current.application],
    };
  }

  /** Encodes silence until the look-ahead after the last sample has come out. */
  private drain(run: Run, out: OpusFrame[]): void {
    const { last } = run;
    if (!last) return;
    const { frameSamples } = run.framer;
    const { sampleRate } = run.format;
    const lookahead = (LOOKAHEAD_SAMPLES[this.current.application] * sampleRate) / OPUS_CLOCK_RATE;
    const end: PcmFrame = {
      ...last,
      samples: 0,
      position: last.position + last.samples,
      time: last.time + (last.samples * 1000) / sampleRate,
      gap: 0,
    };
    for (let held = lookahead - (frameSamples - last.samples); held > 0; held -= frameSamples)
      out.push(this.encode(run, end));
  }
}

function framerFor(format: PcmFormat, settings: OpusEncoderSettings): Framer {
  return new Framer(format, samplesInMs(format.sampleRate, settings.frameMs));
}

function padded(data: Buffer, length: number): Buffer {
  const whole = Buffer.alloc(length);
  data.copy(whole);
  return whole;
}
