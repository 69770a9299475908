/** Opus packets to PCM, each sample at the place that it had before it was encoded. */
import { OrgoError } from '../audio/errors';
import {
  sameFormat,
  type AudioFormat,
  type Channels,
  type PcmEncoding,
  type PcmFormat,
} from '../audio/format';
import type { PcmFrame, Transform } from '../audio/frame';
import { Resampler } from '../resample/resampler';
import { chooseLibrary } from './choose-library';
import { OpusCodec } from './codec';
import type { OpusFrame } from './encoder';
import { OPUS_RATES, type OpusLibrary, type OpusRate } from './library';
import { lostPackets, OPUS_CLOCK_RATE, parsePacket, type OpusPacketInfo } from './packet';

/** What is concealed of a loss, ms: a decoder fades to silence within about this time. */
export const MAX_CONCEALED_MS = 120;
/** A position that is off by less is rounding: no packet is shorter. ms */
const SHORTEST_FRAME_MS = 2.5;
const BYTES_PER_SAMPLE = 2;

export interface OpusDecoderOptions {
  /** Hz; 48000. Any rate: where Opus does not give it, the output is resampled. */
  readonly sampleRate?: number | undefined;
  /** Left out: those of the input. */
  readonly channels?: Channels | undefined;
  /** `s16le` */
  readonly encoding?: PcmEncoding | undefined;
  /** Gain by an Ogg or WebM header, in 1/256 dB; 0. */
  readonly gain?: number | undefined;
  readonly library?: OpusLibrary | undefined;
}

/** What an encoder made in one go: all positions here are at the decoder's rate. */
interface Run {
  readonly from: AudioFormat<'opus'>;
  readonly format: PcmFormat;
  readonly codec: OpusCodec;
  /** How far the decoder's output lies behind its packets: `preSkip`, which is dropped at the start of the run. */
  readonly delay: number;
  /** Samples of it still to drop. */
  skip: number;
  /** Position of the next packet if none is missing. */
  next: number;
  /** Where the run's sound ends, once a packet came that is filled up with silence. */
  end: number | undefined;
  /** Missing before what comes out next. */
  gap: number;
  stereo: boolean;
}

/**
 * The first `preSkip` samples of a run are dropped, and what is filled up with silence at its end, so that as many
 * samples come out as went in. Packets that are missing are concealed, at most {@link MAX_CONCEALED_MS} of them,
 * the rest stays a gap. Neither library can use the forward error correction that a packet may hold.
 */
export class OpusDecoder implements Transform<'opus', PcmEncoding> {
  private run: Run | undefined;
  private readonly resampler: Resampler;
  private readonly rate: OpusRate;
  private readonly library: OpusLibrary;

  /** @throws OrgoError `ORGO_BAD_SETTING`, or `ORGO_OPUS_FAILED` where no library loads */
  constructor(private readonly options: OpusDecoderOptions = {}) {
    const { sampleRate = OPUS_CLOCK_RATE, channels, encoding = 's16le' } = options;
    this.resampler = new Resampler({ sampleRate, channels, encoding });
    this.rate = OPUS_RATES.find((rate) => rate === sampleRate) ?? OPUS_CLOCK_RATE;
    this.library = options.library ?? chooseLibrary();
  }

  /**
   * @param padding what a container says is no sound at the end of what the packet gives, samples at 48 kHz;
   * left out: `samples` tells, as OpusEncoder sets it
   * @throws OrgoError `ORGO_BAD_INPUT` where the payload is no packet: it counts as lost, and is concealed
   */
  push(frame: OpusFrame, padding?: number): PcmFrame[] {
    checkFormat(frame.format);
    const packet = parsePacket(frame.data);
    const out: PcmFrame[] = [];
    const run = this.runFor(frame, out);
    this.conceal(run, frame, out);
    const pcm = run.codec.decode(frame.data);
    run.stereo = packet.stereo;
    run.end ??= endWith(run, frame, packet, padding);
    this.emit(run, frame, pcm, run.next, out);
    return out;
  }

  flush(): PcmFrame[] {
    const out = this.resampler.flush();
    this.endRun();
    return out;
  }

  close(): void {
    this.resampler.close();
    this.endRun();
  }

  private endRun(): void {
    this.run?.codec.close();
    this.run = undefined;
  }

  /** The run that the packet belongs to; one that can't go on with it is flushed. */
  private runFor(frame: OpusFrame, out: PcmFrame[]): Run {
    if (this.run && continues(this.run, frame)) return this.run;
    out.push(...this.flush());
    this.run = this.start(frame);
    return this.run;
  }

  private start(frame: OpusFrame): Run {
    const { rate } = this;
    const channels = this.options.channels ?? frame.format.channels;
    const codec = new OpusCodec(this.library, rate, channels);
    if (this.options.gain) codec.decoderControl('gain', this.options.gain);
    const delay = Math.round(((frame.preSkip ?? 0) * rate) / OPUS_CLOCK_RATE);
    const next = placeAt(rate, frame);
    return {
      from: frame.format,
      format: { encoding: 's16le', sampleRate: rate, channels },
      codec,
      delay,
      skip: delay,
      next,
      end: undefined,
      gap: next - Math.round(((frame.position - frame.gap) * rate) / frame.format.sampleRate),
      stereo: false,
    };
  }

  /** Stands in for what is missing before `frame`. */
  private conceal(run: Run, frame: OpusFrame, out: PcmFrame[]): void {
    const missing = missingBefore(run, frame);
    if (missing === 0) return;
    const rate = run.format.sampleRate;
    const concealed = Math.min(missing, (MAX_CONCEALED_MS * rate) / 1000);
    const pcm = Buffer.concat(
      lostPackets((concealed * OPUS_CLOCK_RATE) / rate, run.stereo).map((lost) => run.codec.decode(lost)),
    );
    const at = placeAt(rate, frame);
    this.emit(run, frame, pcm.subarray(0, concealed * BYTES_PER_SAMPLE * run.format.channels), at, out);
    run.gap += missing - concealed;
    run.next = at;
  }

  /** Sends on what `pcm` holds of the run's sound. `at`: the position of `frame` at the decoder's rate. */
  private emit(run: Run, frame: OpusFrame, pcm: Buffer, at: number, out: PcmFrame[]): void {
    const { channels, sampleRate } = run.format;
    const size = BYTES_PER_SAMPLE * channels;
    const samples = pcm.length / size;
    const first = run.next - run.delay;
    const skipped = Math.min(run.skip, samples);
    const kept = Math.max(skipped, Math.min(samples, (run.end ?? Infinity) - first));
    run.skip -= skipped;
    run.next += samples;
    if (kept === skipped) return;
    const position = first + skipped;
    const sound: PcmFrame = {
      format: run.format,
      data: pcm.subarray(skipped * size, kept * size),
      samples: kept - skipped,
      position,
      time: frame.time + ((position - at) * 1000) / sampleRate,
      gap: run.gap,
      latencyMs: frame.latencyMs + (run.delay * 1000) / sampleRate,
    };
    run.gap = 0;
    for (const ready of this.resampler.push(sound)) out.push(ready);
  }
}

/** Where the sound ends, if the packet was filled up with silence, by what it carried or by what it gives. */
function endWith(run: Run, frame: OpusFrame, packet: OpusPacketInfo, padding?: number): number | undefined {
  const { sampleRate } = run.format;
  if (padding !== undefined) {
    const kept = ((packet.samples - padding) * sampleRate) / OPUS_CLOCK_RATE;
    return padding > 0 ? run.next - run.delay + Math.round(kept) : undefined;
  }
  const whole = Math.floor((packet.samples * frame.format.sampleRate) / OPUS_CLOCK_RATE);
  if (frame.samples >= whole) return undefined;
  return run.next + Math.round((frame.samples * sampleRate) / frame.format.sampleRate);
}

/** Whether the run goes on with `frame`, perhaps after lost packets; after its end only padding is part of it. */
function continues(run: Run, frame: OpusFrame): boolean {
  if (!sameFormat(run.from, frame.format)) return false;
  if (run.end !== undefined) return frame.gap === 0 && frame.samples === 0;
  return placeAt(run.format.sampleRate, frame) - run.next > -shortestFrame(run);
}

/** Samples that are missing between the run and `frame`; 0 where it is but rounding. */
function missingBefore(run: Run, frame: OpusFrame): number {
  if (run.end !== undefined) return 0;
  const missing = placeAt(run.format.sampleRate, frame) - run.next;
  return missing < shortestFrame(run) ? 0 : missing;
}

function shortestFrame(run: Run): number {
  return (SHORTEST_FRAME_MS * run.format.sampleRate) / 1000;
}

function placeAt(rate: number, frame: OpusFrame): number {
  return Math.round((frame.position * rate) / frame.format.sampleRate);
}

function checkFormat({ sampleRate, channels }: AudioFormat<'opus'>): void {
  if (sampleRate > 0 && Number.isFinite(sampleRate) && [1, 2].includes(channels)) return;
  throw new OrgoError(
    'ORGO_BAD_INPUT',
    `The Opus that came is said to be of ${sampleRate} Hz and ${channels} channels: 1 or 2 channels at any rate are taken`,
  );
}
