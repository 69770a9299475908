/** One stream of the flow, made into Opus packets of 20 ms: untouched where it is that already. */
import { OrgoError } from '../audio/errors';
import { isPcm, msOfSamples, type AudioFormat } from '../audio/format';
import type { AudioFrame, PcmFrame } from '../audio/frame';
import { levelOf } from '../audio/samples';
import type { OpusFrame } from '../opus/encoder';
import { OpusRecut } from './opus-recut';
import { needsStretching, RateControl, type QueueReport } from './rate-control';
import {
  CHANNELS,
  SAMPLE_RATE,
  SoundDecoder,
  SoundEncoder,
  type Floats,
  type PacketEncoder,
} from './sound-encoder';
import { FRAME_MS, FRAME_SAMPLES, looksSilent, type SoundPacket } from './sound-packet';
import { Stretcher } from './stretcher';

export interface SoundInputSettings {
  /** Of what is encoded here, bit/s. */
  readonly bitrate: number;
  readonly live: boolean;
}

/** Full scale; what stays below is silence: −60 dB. */
const SILENT_PEAK = 0.001;
/** Opus without any pause for so long can be kept in step only by encoding it anew. Reports, one a second. */
const PATIENCE_REPORTS = 10;

/**
 * PCM is always encoded here, so it is stretched where the source's clock drifts. Opus passes as it came; where it
 * drifts and never pauses, or can't be cut to 20 ms, it is decoded, stretched and encoded from then on.
 */
export class SoundInput {
  private readonly recut = new OpusRecut();
  private readonly rate = new RateControl();
  private readonly stretcher = new Stretcher();
  private decoder: SoundDecoder | undefined;
  private encoder: PacketEncoder | undefined;
  private reencodes = false;
  private paused = false;
  private reportsWithoutPause = 0;
  /** Level of the frame that is being filled, for what is encoded here. */
  private readonly levels = new FrameLevels();

  constructor(
    private readonly settings: SoundInputSettings,
    private readonly newEncoder: () => PacketEncoder = () => new SoundEncoder(settings.bitrate),
  ) {}

  /** Whether Opus is decoded and encoded anew. */
  get isReencoding(): boolean {
    return this.reencodes;
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` for what can't be spoken; nothing is changed by it */
  push(frame: AudioFrame): SoundPacket[] {
    const endMs = msOfSamples(frame.format.sampleRate, frame.position + frame.samples);
    if (isPcmFrame(frame)) return this.pushPcm(frame, endMs);
    if (isOpusFrame(frame)) return this.pushOpus(frame, endMs);
    throw new OrgoError(
      'ORGO_BAD_INPUT',
      `Sound as ${frame.format.encoding} came; a Discord channel takes PCM (s16le, f32le) or Opus packets. Put an orgo-audio-convert or orgo-audio-opus before it`,
    );
  }

  /** What is held; the next frame starts anew. */
  flush(endMs: number): SoundPacket[] {
    this.recut.reset();
    if (!this.decoder || !this.encoder) return [];
    const rest = this.stretcher.push(this.decoder.flush());
    const packets = [...this.encode(rest, endMs), ...this.encode(this.stretcher.flush(), endMs)];
    for (const opus of this.encoder.flush()) packets.push(this.packet(opus, endMs, 0));
    this.levels.reset();
    return packets;
  }

  /** How the queue fares; once a second while the stream is live. */
  onReport(report: QueueReport): void {
    if (!this.settings.live) return;
    this.reportsWithoutPause = this.paused ? 0 : this.reportsWithoutPause + 1;
    this.paused = false;
    if (this.reportsWithoutPause >= PATIENCE_REPORTS && needsStretching(report)) this.reencodes = true;
    this.rate.update(report);
    this.stretcher.ratio = this.rate.ratio;
  }

  close(): void {
    this.decoder?.close();
    this.encoder?.close();
    this.decoder = undefined;
    this.encoder = undefined;
  }

  private pushPcm(frame: PcmFrame, endMs: number): SoundPacket[] {
    return this.encode(this.stretcher.push(this.decoding().pushPcm(frame)), endMs);
  }

  private pushOpus(frame: OpusFrame, endMs: number): SoundPacket[] {
    if (!this.reencodes) {
      const packets = this.recut.push(frame.data);
      if (packets)
        return packets.map((opus, i) => this.asItCame(opus, endMs, (packets.length - 1 - i) * FRAME_MS));
      this.reencodes = true;
    }
    return this.encode(this.stretcher.push(this.decoding().pushOpus(frame)), endMs);
  }

  private decoding(): SoundDecoder {
    return (this.decoder ??= new SoundDecoder());
  }

  private encode(floats: Floats, endMs: number): SoundPacket[] {
    this.encoder ??= this.newEncoder();
    this.levels.push(floats);
    const packets = this.encoder.push(floats);
    return packets.map((opus, i) => {
      const later = (packets.length - 1 - i) * FRAME_MS + this.levels.restMs;
      return this.packet(opus, endMs, later);
    });
  }

  private asItCame(opus: Buffer, endMs: number, later: number): SoundPacket {
    const silent = looksSilent(opus);
    this.paused ||= silent;
    return { opus, live: this.settings.live, silent, sourceMs: endMs - later, clockMs: endMs };
  }

  /** @param later sound that came up to `endMs` and is not in this packet yet, ms */
  private packet(opus: Buffer, endMs: number, later: number): SoundPacket {
    const silent = this.levels.next() < SILENT_PEAK;
    return { opus, live: this.settings.live, silent, sourceMs: endMs - later, clockMs: endMs };
  }
}

/** Peaks of whole frames of 20 ms, in the order in which the encoder gives them. */
class FrameLevels {
  private peaks: number[] = [];
  private peak = 0;
  private filled = 0;

  /** Length of what does not fill a frame yet, ms. */
  get restMs(): number {
    return msOfSamples(SAMPLE_RATE, this.filled);
  }

  push(floats: Floats): void {
    for (let from = 0; from < floats.length;) {
      const to = Math.min(floats.length, from + (FRAME_SAMPLES - this.filled) * CHANNELS);
      const part = floats.subarray(from, to);
      const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
      this.peak = Math.max(this.peak, levelOf(bytes, 'f32le').peak);
      this.filled += (to - from) / CHANNELS;
      from = to;
      if (this.filled < FRAME_SAMPLES) return;
      this.peaks.push(this.peak);
      this.peak = 0;
      this.filled = 0;
    }
  }

  /** Peak of the frame that the encoder gave next. */
  next(): number {
    return this.peaks.shift() ?? this.peak;
  }

  reset(): void {
    this.peaks = [];
    this.peak = 0;
    this.filled = 0;
  }
}

function isPcmFrame(frame: AudioFrame): frame is PcmFrame {
  return isPcm(frame.format);
}

function isOpusFrame(frame: AudioFrame): frame is OpusFrame {
  const { encoding }: AudioFormat = frame.format;
  return encoding === 'opus';
}
