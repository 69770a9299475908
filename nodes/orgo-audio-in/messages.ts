/** The messages that leave the node: sound with its place in the stream, and events. */
import type { AudioFormat } from '../../src/audio/format';
import { emptyAfter, type PcmFrame } from '../../src/audio/frame';
import type { StreamEndReason } from '../../src/client/stream-events';
import { describe, type Standing } from '../shared/messages/message-writer';
import type { Message } from '../shared/red';

/** `msg.payload` of an event. */
export interface EventPayload {
  readonly event: 'connected' | 'disconnected' | 'reconnecting' | 'refused' | 'gap' | 'stats' | 'status';
  readonly [detail: string]: unknown;
}

/** One stream's messages: counts them, and remembers where the stream ends so far. */
export class StreamMessages {
  private sequence = 0;
  private end: Standing | undefined;

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
    return this.end?.time;
  }

  audio(frame: PcmFrame): Message {
    const audio = this.describe(frame, frame.samples);
    this.sequence += 1;
    this.end = emptyAfter(frame);
    return { topic: this.topic, payload: frame.data, audio };
  }

  /** The last message of the stream; its time is `now` (epoch ms) if there was no sound. */
  complete(reason: StreamEndReason, tail: PcmFrame | undefined, now: number): Message {
    const { topic } = this;
    const message = tail ? this.audio(tail) : { topic, payload: Buffer.alloc(0), audio: this.here(now) };
    return { ...message, complete: true, audio: { ...(message.audio as object), reason } };
  }

  /** The stream's current place, for an event: no samples. */
  here(now: number): object {
    return this.end ? this.describe(this.end, 0) : this.at(0, now);
  }

  /** Another place of the stream, for an event. */
  at(position: number, time: number): object {
    return this.describe({ format: this.format, position, time, gap: 0, latencyMs: 0 }, 0);
  }

  private describe(standing: Standing, samples: number): object {
    const { stream, sequence } = this;
    return describe(standing, { samples, stream, sequence });
  }
}
