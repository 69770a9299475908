/** What is asked of an Opus library. */
import type { Channels } from '../audio/format';

/** Sample rates that Opus takes and gives without resampling (RFC 6716 §2.1.3), Hz. */
export const OPUS_RATES = [8000, 12000, 16000, 24000, 48000] as const;
export type OpusRate = (typeof OPUS_RATES)[number];

/** Requests of opus_encoder_ctl (opus_defines.h). Only those that take one integer: others write through a pointer. */
export const ENCODER_CTL = {
  application: 4000,
  bitrate: 4002,
  complexity: 4010,
  inbandFec: 4012,
  packetLossPercent: 4014,
  dtx: 4016,
} as const;
/** Requests of opus_decoder_ctl; the gain is in 1/256 dB. */
export const DECODER_CTL = { gain: 4034 } as const;
export type EncoderRequest = keyof typeof ENCODER_CTL;
export type DecoderRequest = keyof typeof DECODER_CTL;

/** An encoder and a decoder for one stream. Only {@link OpusCodec} calls it: it trusts what it is given. */
export interface LibraryCodec {
  /** @param pcm s16le, `frameSamples` per channel: a frame length that Opus allows, or the process may end */
  encode(pcm: Buffer, frameSamples: number): Buffer;
  /** @param packet whole and legal; returns s16le */
  decode(packet: Buffer): Buffer;
  encoderControl(request: EncoderRequest, value: number): void;
  decoderControl(request: DecoderRequest, value: number): void;
  /** Frees it. Called once. */
  close(): void;
}

export interface OpusLibrary {
  /** The npm package. */
  readonly name: '@discordjs/opus' | 'opusscript';
  open(sampleRate: OpusRate, channels: Channels): LibraryCodec;
}
