/** One stream as it goes over the wire: what listeners that asked for the same share, and what it is announced as. */
import { bytesPerSample, formatText, type PcmFormat } from '../audio/format';
import type { Started } from '../protocol/messages';
import { FRAME_MS, frameSamples, type StreamQuery } from '../protocol/stream-format';

/** All that a listener knows of the sound that it is sent: how it is made is the channel's alone. */
export interface WireStream {
  /** Listeners with the same key hear the same frames; whatever a query can choose of the sound is part of it. */
  readonly key: string;
  readonly format: PcmFormat;
  /** The first message to each listener. */
  readonly started: Started;
  readonly frameMs: number;
  /** Samples per channel in one frame. */
  readonly frameSamples: number;
  /** Payload that goes over the wire in a millisecond, in bytes. */
  readonly bytesPerMs: number;
}

/** The stream that a query asks for. */
export function wireStreamOf({ format }: StreamQuery): WireStream {
  const { sampleRate, channels } = format;
  return {
    key: formatText(format),
    format,
    started: { type: 'started', sample_rate: sampleRate, channels },
    frameMs: FRAME_MS,
    frameSamples: frameSamples(sampleRate),
    bytesPerMs: (sampleRate * bytesPerSample(format)) / 1000,
  };
}
