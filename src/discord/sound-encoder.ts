/** The one place where src/opus and src/resample are used: any sound to 48 kHz stereo floats, and those to Opus. */
import type { PcmFormat } from '../audio/format';
import type { AudioFrame, PcmFrame } from '../audio/frame';
import { floatToS16 } from '../audio/samples';
import { OpusDecoder } from '../opus/decoder';
import { OpusEncoder, type OpusFrame } from '../opus/encoder';
import { DEFAULT_ENCODER_SETTINGS, mergeEncoderSettings } from '../opus/settings';
import { Resampler } from '../resample/resampler';
import { FRAME_MS } from './sound-packet';

/** Hz; Discord's clients decode at this rate. */
export const SAMPLE_RATE = 48000;
export const CHANNELS = 2;
const FORMAT: PcmFormat = { encoding: 's16le', sampleRate: SAMPLE_RATE, channels: CHANNELS };
const AS_FLOATS = { sampleRate: SAMPLE_RATE, channels: CHANNELS, encoding: 'f32le' } as const;

/** Interleaved stereo at 48 kHz. */
export type Floats = Float32Array;

/** @throws OrgoError `ORGO_BAD_SETTING` where Opus can't be encoded so */
export function checkBitrate(bitrate: number): void {
  mergeEncoderSettings(DEFAULT_ENCODER_SETTINGS, { bitrate });
}

/** PCM of any format, or Opus of any frame length, to floats. */
export class SoundDecoder {
  private readonly resampler = new Resampler(AS_FLOATS);
  private readonly opus = new OpusDecoder(AS_FLOATS);

  /** @throws OrgoError `ORGO_BAD_INPUT` */
  pushPcm(frame: PcmFrame): Floats {
    return joined(this.resampler.push(frame));
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` */
  pushOpus(frame: OpusFrame): Floats {
    return joined(this.opus.push(frame));
  }

  flush(): Floats {
    const [pcm, opus] = [joined(this.resampler.flush()), joined(this.opus.flush())];
    return pcm.length > 0 ? pcm : opus;
  }

  close(): void {
    this.resampler.close();
    this.opus.close();
  }
}

/** Floats to packets of 20 ms. */
export interface PacketEncoder {
  push(floats: Floats): Buffer[];
  /** The rest, filled up with silence. */
  flush(): Buffer[];
  close(): void;
}

/** By libopus. */
export class SoundEncoder implements PacketEncoder {
  private readonly encoder: OpusEncoder;
  private position = 0;

  /** @param bitrate bit/s @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(bitrate: number) {
    this.encoder = new OpusEncoder({ bitrate, frameMs: FRAME_MS });
  }

  push(floats: Floats): Buffer[] {
    const samples = floats.length / CHANNELS;
    if (samples === 0) return [];
    const pcm = new Int16Array(floats.length);
    for (let i = 0; i < floats.length; i++) pcm[i] = floatToS16(floats[i] ?? 0);
    const frame: PcmFrame = {
      format: FORMAT,
      data: Buffer.from(pcm.buffer),
      samples,
      position: this.position,
      time: 0,
      gap: 0,
      latencyMs: 0,
    };
    this.position += samples;
    return this.encoder.push(frame).map((packet) => packet.data);
  }

  flush(): Buffer[] {
    return this.encoder.flush().map((packet) => packet.data);
  }

  close(): void {
    this.encoder.close();
  }
}

function joined(frames: readonly AudioFrame[]): Floats {
  const data = Buffer.concat(frames.map((frame) => frame.data));
  return new Float32Array(Uint8Array.from(data).buffer);
}
