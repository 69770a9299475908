/** Makes a stream's wire frames from the source's sound; another encoding on the wire is another encoder here. */
import type { PcmFrame } from '../audio/frame';
import { Resampler } from '../resample/resampler';
import { OpusWireEncoder } from './opus-wire-encoder';
import { Packetizer, type WireFrame } from './packetizer';
import type { WireStream } from './wire-stream';

/** One for each channel. */
export interface WireEncoder {
  /** Takes the source's next frame, and returns the wire frames that it completes. */
  push(frame: PcmFrame): readonly WireFrame[];
  /** Frees what it holds. May be called twice. */
  close(): void;
}

/**
 * The encoder of `stream`: PCM is converted to its format, and cut; for Opus each piece is encoded.
 * @throws OrgoError `ORGO_OPUS_FAILED` where Opus is asked for, and no library loads
 */
export function wireEncoderFor({ format, frameMs, bitrate, frameSamples }: WireStream): WireEncoder {
  if (bitrate !== undefined) return new OpusWireEncoder({ format, frameMs, bitrate, frameSamples });
  const resampler = new Resampler({ ...format, quality: 'live' });
  const packetizer = new Packetizer(format, frameMs);
  return {
    push: (frame) => resampler.push(frame).flatMap((converted) => packetizer.push(converted)),
    close: () => resampler.close(),
  };
}
