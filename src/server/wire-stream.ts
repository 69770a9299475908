/** One stream as it goes over the wire: what listeners that asked for the same share, and what it is announced as. */
import { bytesPerSample, formatText, samplesInMs, type PcmFormat } from '../audio/format';
import { LOOKAHEAD_SAMPLES } from '../opus/settings';
import type { Started } from '../protocol/messages';
import {
  FRAME_MS,
  type Codec,
  type StreamChoice,
  type StreamQuery,
  type WireFrameMs,
} from '../protocol/stream-format';

/** All that a listener knows of the sound that it is sent: how it is made is the channel's alone. */
export interface WireStream {
  /** Listeners with the same key hear the same frames; whatever a query can choose of the sound is part of it. */
  readonly key: string;
  readonly format: PcmFormat;
  /** The first message to each listener. */
  readonly started: Started;
  readonly codec: Codec;
  readonly frameMs: WireFrameMs;
  /** Samples per channel in one frame. */
  readonly frameSamples: number;
  /** Target of the Opus encoder, bit/s; undefined: PCM. */
  readonly bitrate: number | undefined;
  /** Payload that goes over the wire in a millisecond, in bytes. */
  readonly bytesPerMs: number;
  /** Whether the document has no such stream. */
  readonly isExtension: boolean;
}

const DOCUMENTED: StreamChoice = { codec: 'pcm', frameMs: FRAME_MS, bitrate: undefined };

/** The stream that a query asks for. */
export function wireStreamOf({ format, choice }: StreamQuery): WireStream {
  const { codec, frameMs, bitrate } = choice ?? DOCUMENTED;
  const { sampleRate, channels } = format;
  const asked = [
    ...(bitrate === undefined ? [] : [`Opus ${bitrate} bit/s`]),
    ...(frameMs === FRAME_MS ? [] : [`${frameMs} ms`]),
  ];
  return {
    key: [formatText(format), ...asked].join(', '),
    format,
    started: {
      ...{ type: 'started', sample_rate: sampleRate, channels },
      ...(choice && { frame_ms: frameMs }),
      ...(bitrate !== undefined && { codec: 'opus', pre_skip: LOOKAHEAD_SAMPLES.audio, bitrate }),
    },
    codec,
    frameMs,
    frameSamples: samplesInMs(sampleRate, frameMs),
    bitrate,
    bytesPerMs: bitrate === undefined ? (sampleRate * bytesPerSample(format)) / 1000 : bitrate / 8000,
    isExtension: asked.length > 0,
  };
}
