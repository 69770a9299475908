/** Decodes what an encoder made in one go: drops its delay and its padding, conceals what is missing in between. */
import {
  msOfSamples,
  sameFormat,
  samplesInMs,
  type AudioFormat,
  type PcmEncoding,
  type PcmFormat,
} from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { positionAtRate } from '../audio/place';
import type { Transform } from '../audio/transform';
import type { OpusCodec } from './codec';
import type { OpusFrame } from './encoder-run';
import { lostPackets, OPUS_CLOCK_RATE, parsePacket, type OpusPacketInfo } from './packet';

/** What is concealed of a loss, ms: a decoder fades to silence within about this time. */
export const MAX_CONCEALED_MS = 120;
/** A position that is off by less is rounding: no packet is shorter. ms */
const SHORTEST_FRAME_MS = 2.5;
const BYTES_PER_SAMPLE = 2;

/** A packet, and what its container says about the end of its sound. */
export interface PacketFrame extends OpusFrame {
  /**
   * Samples at 48 kHz, at the end of what the packet gives, that are no sound. Left out: `samples` says it,
   * as OpusEncoder sets it.
   */
  readonly padding?: number;
}

/** All positions in here are at the decoder's rate. */
export class DecoderRun implements Transform<'opus', PcmFrame> {
  private readonly from: AudioFormat<'opus'>;
  private readonly format: PcmFormat;
  /** How much later than its packets the decoder's output is: `preSkip`, which is dropped at the start of the run. */
  private readonly delay: number;
  /** Samples of it still to drop. */
  private skip: number;
  /** Position of the next packet if none is missing. */
  private next: number;
  /** Where the run's sound ends, once a packet came that is filled up with silence. */
  private end: number | undefined;
  /** Missing before what comes out next. */
  private gap: number;
  private stereo = false;

  /**
   * @param codec the run's own, closed with it
   * @param output takes what is decoded; flushed with the run
   */
  constructor(
    first: PacketFrame,
    private readonly codec: OpusCodec,
    private readonly output: Transform<PcmEncoding, PcmFrame>,
  ) {
    const { sampleRate, channels } = codec;
    this.from = first.format;
    this.format = { encoding: 's16le', sampleRate, channels };
    this.skip = this.delay = positionAtRate(first.preSkip ?? 0, OPUS_CLOCK_RATE, sampleRate);
    this.next = this.atOwnRate(first.position);
    this.gap = this.next - this.atOwnRate(first.position - first.gap);
  }

  /** Whether the run goes on with `frame`, perhaps after lost packets; after its end only padding is part of it. */
  continuesWith(frame: PacketFrame): boolean {
    if (!sameFormat(this.from, frame.format)) return false;
    if (this.end !== undefined) return frame.gap === 0 && frame.samples === 0;
    return this.atOwnRate(frame.position) - this.next > -this.shortestFrame;
  }

  push(frame: PacketFrame): PcmFrame[] {
    const packet = parsePacket(frame.data);
    const out = this.conceal(frame);
    const pcm = this.codec.decode(frame.data);
    this.stereo = packet.stereo;
    this.end ??= this.endWith(frame, packet);
    return this.emit(frame, pcm, this.next, out);
  }

  flush(): PcmFrame[] {
    return this.output.flush();
  }

  close(): void {
    this.output.close();
    this.codec.close();
  }

  /** Stands in for what is missing before `frame`. */
  private conceal(frame: PacketFrame): PcmFrame[] {
    const missing = this.missingBefore(frame);
    if (missing === 0) return [];
    const { sampleRate, channels } = this.format;
    const concealed = Math.min(missing, samplesInMs(sampleRate, MAX_CONCEALED_MS));
    const pcm = Buffer.concat(
      lostPackets((concealed * OPUS_CLOCK_RATE) / sampleRate, this.stereo).map((lost) =>
        this.codec.decode(lost),
      ),
    );
    const at = this.atOwnRate(frame.position);
    const out = this.emit(frame, pcm.subarray(0, concealed * BYTES_PER_SAMPLE * channels), at, []);
    this.gap += missing - concealed;
    this.next = at;
    return out;
  }

  /** Samples that are missing between the run and `frame`; 0 where it is but rounding. */
  private missingBefore(frame: PacketFrame): number {
    if (this.end !== undefined) return 0;
    const missing = this.atOwnRate(frame.position) - this.next;
    return missing < this.shortestFrame ? 0 : missing;
  }

  /** Adds to `out` what `pcm` holds of the run's sound. `at`: the position of `frame`. */
  private emit(frame: PacketFrame, pcm: Buffer, at: number, out: PcmFrame[]): PcmFrame[] {
    const { channels, sampleRate } = this.format;
    const size = BYTES_PER_SAMPLE * channels;
    const samples = pcm.length / size;
    const first = this.next - this.delay;
    const skipped = Math.min(this.skip, samples);
    const kept = Math.max(skipped, Math.min(samples, (this.end ?? Infinity) - first));
    this.skip -= skipped;
    this.next += samples;
    if (kept === skipped) return out;
    const position = first + skipped;
    const sound: PcmFrame = {
      format: this.format,
      data: pcm.subarray(skipped * size, kept * size),
      samples: kept - skipped,
      position,
      time: frame.time + msOfSamples(sampleRate, position - at),
      gap: this.gap,
      latencyMs: frame.latencyMs + msOfSamples(sampleRate, this.delay),
    };
    this.gap = 0;
    for (const ready of this.output.push(sound)) out.push(ready);
    return out;
  }

  /** Where the sound ends, if the packet was filled up with silence, by what it carried or by what it gives. */
  private endWith(frame: PacketFrame, packet: OpusPacketInfo): number | undefined {
    const { padding, samples } = frame;
    if (padding !== undefined) {
      const kept = positionAtRate(packet.samples - padding, OPUS_CLOCK_RATE, this.format.sampleRate);
      return padding > 0 ? this.next - this.delay + kept : undefined;
    }
    const whole = Math.floor((packet.samples * this.from.sampleRate) / OPUS_CLOCK_RATE);
    return samples < whole ? this.next + this.atOwnRate(samples) : undefined;
  }

  private atOwnRate(position: number): number {
    return positionAtRate(position, this.from.sampleRate, this.format.sampleRate);
  }

  private get shortestFrame(): number {
    return (SHORTEST_FRAME_MS * this.format.sampleRate) / 1000;
  }
}
