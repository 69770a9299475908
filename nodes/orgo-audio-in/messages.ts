/** The messages that leave the node: sound with its place in the stream, and events. */
import type { AudioFormat } from '../../src/audio/format';
import type { PcmFrame } from '../../src/audio/frame';
import type { StreamEndReason } from '../../src/client/stream-events';
import type { Message } from '../shared/red';

/** `msg.audio` of the message contract, as this node fills it. */
export interface FrameDescription extends AudioFormat {
  samples: number;
  stream: string;
  sequence: number;
  position: number;
  time: number;
  gap: number;
  latencyMs: number;
  reason?: StreamEndReason;
}

/** `msg.payload` of an event. */
export interface EventPayload {
  readonly event: 'connected' | 'disconnected' | 'reconnecting' | 'refused' | 'gap' | 'stats' | 'status';
  readonly [detail: string]: unknown;
}

/** One stream's messages: counts them, and remembers the stream's position. */
export class StreamMessages {
  private sequence = 0;
  private position = 0;
  private time: number | undefined;

  constructor(
    private readonly topic: string,
    /** The id of this stream, in every message. */
    readonly stream: string,
    readonly format: AudioFormat,
  ) {}

  /** Whether a message was sent. */
  get begun(): boolean {
    return this.sequence > 0;
  }

  /** Capture time of the next sample, epoch ms; undefined before the first frame. */
  get endTime(): number | undefined {
    return this.time;
  }

  audio(frame: PcmFrame): Message {
    const { samples, position, time, gap } = frame;
    const audio = this.describe(samples, position, time, gap);
    this.sequence += 1;
    this.position = position + samples;
    this.time = time + (samples * 1000) / frame.format.sampleRate;
    return { topic: this.topic, payload: frame.data, audio };
  }

  /** The last message of the stream; its time is `now` (epoch ms) if there was no sound. */
  complete(reason: StreamEndReason, tail: PcmFrame | undefined, now: number): Message {
    const message = tail ? this.audio(tail) : this.empty(now);
    message['complete'] = true;
    (message.audio as FrameDescription).reason = reason;
    return message;
  }

  /** The stream's current place, for an event: no samples. */
  here(now: number): FrameDescription {
    return this.describe(0, this.position, this.time ?? now, 0);
  }

  /** Another place of the stream, for an event. */
  at(position: number, time: number): FrameDescription {
    return this.describe(0, position, time, 0);
  }

  private empty(now: number): Message {
    return { topic: this.topic, payload: Buffer.alloc(0), audio: this.here(now) };
  }

  private describe(samples: number, position: number, time: number, gap: number): FrameDescription {
    const { encoding, sampleRate, channels } = this.format;
    const { stream, sequence } = this;
    return { encoding, sampleRate, channels, samples, stream, sequence, position, time, gap, latencyMs: 0 };
  }
}
