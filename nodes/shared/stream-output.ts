/** The messages that leave a node for one stream: counted, each with its place. */
import { msOfSamples } from '../../src/audio/format';
import type { AudioFrame } from '../../src/audio/frame';
import type { Message, Outgoing } from './red';

/** One message that a stream's processor wants to be sent. */
export interface Product {
  /** Index of the node's output. */
  readonly output: number;
  /** The sound, and where it belongs; of an event, only the place counts. */
  readonly frame: AudioFrame;
  /** What is sent instead of the frame's sound: an event. Such a message has no samples and is not counted. */
  readonly event?: Readonly<Record<string, unknown>> | undefined;
  /** More properties of the message. */
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
}

/** The output on which a stream's end is marked. */
const MAIN_OUTPUT = 0;
export class StreamOutput {
  private readonly sequences: number[];
  /** Where the main output goes on. */
  private end: Omit<AudioFrame, 'data' | 'samples'> | undefined;
  /** Held back by {@link holdLast}: the main output's latest. */
  private held: Message | undefined;
  private holding = false;

  /**
   * @param stream name of the stream
   * @param outputs how many the node has
   */
  constructor(
    private readonly stream: string,
    private readonly outputs: number,
  ) {
    this.sequences = Array.from({ length: outputs }, () => 0);
  }

  /** Sends `product` as a copy of `template`, with everything else that it had. */
  send(product: Product, template: Message, send: (outgoing: Outgoing) => void): void {
    const { output, frame, event, properties } = product;
    const message = copyOf(template);
    message.payload = event ?? frame.data;
    message.audio = event
      ? this.describe(frame, MAIN_OUTPUT, 0)
      : this.describe(frame, output, frame.samples);
    Object.assign(message, properties);
    if (!event) {
      this.sequences[output] = (this.sequences[output] ?? 0) + 1;
      if (output === MAIN_OUTPUT) this.end = endOf(frame);
    }
    if (!this.holding || output !== MAIN_OUTPUT || event) {
      this.sendTo(output, message, send);
      return;
    }
    if (this.held) this.sendTo(MAIN_OUTPUT, this.held, send);
    this.held = message;
  }

  /** From here on the main output's latest message waits, since it may be the stream's last. */
  holdLast(): void {
    this.holding = true;
  }

  /** Sends the last message of the stream, marked as such: what is held, or an empty one. */
  complete(reason: string, template: Message, now: number, send: (outgoing: Outgoing) => void): void {
    const message = this.held ?? this.empty(template, now);
    message['complete'] = true;
    message.audio = { ...(message.audio as object), reason };
    this.held = undefined;
    this.holding = false;
    this.sendTo(MAIN_OUTPUT, message, send);
  }

  private empty(template: Message, now: number): Message {
    const message = copyOf(template);
    message.payload = Buffer.alloc(0);
    if (this.end) {
      message.audio = this.describe(this.end, MAIN_OUTPUT, 0);
    } else {
      const { stream } = this;
      const told = typeof template.audio === 'object' ? template.audio : {};
      message.audio = {
        time: now,
        position: 0,
        latencyMs: 0,
        ...told,
        stream,
        samples: 0,
        sequence: 0,
        gap: 0,
      };
    }
    return message;
  }

  private describe(
    frame: Omit<AudioFrame, 'data' | 'samples'>,
    output: number,
    samples: number,
  ): Record<string, unknown> {
    const { format, position, time, gap, latencyMs, preSkip } = frame;
    return {
      encoding: format.encoding,
      sampleRate: format.sampleRate,
      channels: format.channels,
      samples,
      stream: this.stream,
      sequence: this.sequences[output] ?? 0,
      position,
      time,
      gap,
      latencyMs,
      ...(preSkip !== undefined && { preSkip }),
    };
  }

  private sendTo(output: number, message: Message, send: (outgoing: Outgoing) => void): void {
    if (this.outputs === 1) {
      send(message);
      return;
    }
    const outgoing: (Message | null)[] = Array.from({ length: this.outputs }, () => null);
    outgoing[output] = message;
    send(outgoing);
  }
}

/** The place just after a frame, without its sound. */
function endOf({
  format,
  samples,
  position,
  time,
  latencyMs,
  preSkip,
}: AudioFrame): Omit<AudioFrame, 'data' | 'samples'> {
  const end = { position: position + samples, time: time + msOfSamples(format.sampleRate, samples) };
  return { format, ...end, gap: 0, latencyMs, ...(preSkip !== undefined && { preSkip }) };
}

/** What a message tells the node, rather than what it is, is not passed on. */
function copyOf(template: Message): Message {
  const copy = { ...template };
  delete copy['reset'];
  delete copy['complete'];
  return copy;
}
