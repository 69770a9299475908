/** Makes Opus packets for the wire: each is encoded once, whoever listens. */
import { samplesInMs, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { chooseLibrary } from '../opus/choose-library';
import { OpusCodec } from '../opus/codec';
import { opusRateFor } from '../opus/encoder';
import { applyEncoderSettings, DEFAULT_ENCODER_SETTINGS } from '../opus/settings';
import type { WireFrameMs } from '../protocol/stream-format';
import { Resampler } from '../resample/resampler';
import { Packetizer, type WireFrame } from './packetizer';
import { allocateBinaryFrame } from './websocket-frame';

export interface OpusWireOptions {
  /** What listeners count in: positions are at its rate. */
  readonly format: PcmFormat;
  readonly frameMs: WireFrameMs;
  /** bit/s */
  readonly bitrate: number;
  /** Samples per channel in one packet, at the format's rate. */
  readonly frameSamples: number;
}

/** Keeps one encoder for all: sound that is missing is for a listener's decoder to conceal. */
export class OpusWireEncoder {
  private readonly codec: OpusCodec;
  private readonly resampler: Resampler;
  private readonly packetizer: Packetizer;
  /** Samples in one packet, at Opus' rate. */
  private readonly encodedSamples: number;
  /** Where the next packet begins if nothing is skipped: at Opus' rate, and at the format's. */
  private next = { encoded: 0, wire: 0 };

  /** @throws OrgoError `ORGO_OPUS_FAILED` where no library loads */
  constructor(private readonly options: OpusWireOptions) {
    const { sampleRate, channels } = options.format;
    const rate = opusRateFor(sampleRate);
    const format: PcmFormat = { encoding: 's16le', sampleRate: rate, channels };
    this.codec = new OpusCodec(chooseLibrary(), rate, channels);
    applyEncoderSettings(this.codec, { ...DEFAULT_ENCODER_SETTINGS, bitrate: options.bitrate }, true);
    this.resampler = new Resampler({ ...format, quality: 'live' });
    this.packetizer = new Packetizer(format, options.frameMs);
    this.encodedSamples = samplesInMs(rate, options.frameMs);
  }

  /** Takes the source's next frame, and returns the packets that it completes. */
  push(frame: PcmFrame): readonly WireFrame[] {
    const cut = this.resampler.push(frame).flatMap((converted) => this.packetizer.push(converted));
    return cut.map((pcm) => this.encode(pcm));
  }

  /** Frees it. May be called twice. */
  close(): void {
    this.codec.close();
    this.resampler.close();
  }

  private encode(pcm: WireFrame): WireFrame {
    const packet = this.codec.encode(pcm.bytes.subarray(pcm.bytes.length - pcm.payloadBytes));
    const { bytes, offset } = allocateBinaryFrame(packet.length);
    packet.copy(bytes, offset);
    return { ...pcm, bytes, payloadBytes: packet.length, position: this.place(pcm.position) };
  }

  /**
   * The position at the format's rate. Packets follow each other to the sample; a skip is rounded to the nearest one,
   * from the beginning of the stream, so that nothing adds up.
   */
  private place(encoded: number): number {
    const { next, encodedSamples } = this;
    const { frameSamples } = this.options;
    const isNext = encoded === next.encoded;
    const wire = isNext ? next.wire : Math.round((encoded * frameSamples) / encodedSamples);
    this.next = { encoded: encoded + encodedSamples, wire: wire + frameSamples };
    return wire;
  }
}
