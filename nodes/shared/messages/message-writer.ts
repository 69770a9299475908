/** The messages that leave a node for one stream: counted, each with its place. */
import { emptyAfter, type AudioFrame } from '../../../src/audio/frame';
import { AUDIO_OUTPUT, type Emission } from '../../../src/audio/transform';
import type { Message, Outgoing } from '../red';

/** Of a node with several outputs, the first is the main one: the stream's end is marked there. */
const MAIN_OUTPUT = 0;

export class MessageWriter {
  private readonly sequences: number[];
  /** Where the main output goes on; undefined before it has sent sound. */
  end: AudioFrame | undefined;
  /** Held back by {@link holdLast}: the main output's latest. */
  private held: Message | undefined;
  private holding = false;

  /**
   * @param stream name of the stream
   * @param outputs the names of the node's outputs, in their order; `audio`
   * @param givesText the main output carries text: the end is a message of its own, with an empty one
   */
  constructor(
    private readonly stream: string,
    private readonly outputs: readonly string[] = [AUDIO_OUTPUT],
    private readonly givesText = false,
  ) {
    this.sequences = outputs.map(() => 0);
  }

  /**
   * Sends `emission` as a copy of `template`, with everything else that it had.
   * @returns whether it was sound on the main output
   */
  send(emission: Emission, template: Message, send: (outgoing: Outgoing) => void): boolean {
    const { frame, event, text, properties } = emission;
    const output = this.indexOf(emission.output);
    const message = copyOf(template);
    message.payload = event ?? text ?? frame.data;
    message.audio = event
      ? this.describe(frame, MAIN_OUTPUT, 0)
      : this.describe(frame, output, frame.samples);
    Object.assign(message, properties);
    if (!event) {
      this.sequences[output] = (this.sequences[output] ?? 0) + 1;
      if (output === MAIN_OUTPUT) this.end = emptyAfter(frame);
    }
    if (!this.holding || output !== MAIN_OUTPUT || event) {
      this.sendTo(output, message, send);
      return output === MAIN_OUTPUT && !event;
    }
    if (this.held) this.sendTo(MAIN_OUTPUT, this.held, send);
    this.held = message;
    return true;
  }

  /** From here on the main output's latest message waits, since it may be the stream's last. */
  holdLast(): void {
    this.holding = !this.givesText;
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
    message.payload = this.givesText ? '' : Buffer.alloc(0);
    if (this.end) {
      message.audio = this.describe(this.end, MAIN_OUTPUT, 0);
    } else {
      const { stream } = this;
      const described = typeof template.audio === 'object' ? template.audio : {};
      message.audio = {
        time: now,
        position: 0,
        latencyMs: 0,
        ...described,
        stream,
        samples: 0,
        sequence: 0,
        gap: 0,
      };
    }
    return message;
  }

  private describe(frame: Standing, output: number, samples: number): Record<string, unknown> {
    const { stream } = this;
    return describe(frame, { samples, stream, sequence: this.sequences[output] ?? 0 });
  }

  private indexOf(output: string): number {
    const index = this.outputs.indexOf(output);
    if (index < 0)
      throw new RangeError(`MessageWriter: no output ${output} among ${this.outputs.join(', ')}`);
    return index;
  }

  private sendTo(output: number, message: Message, send: (outgoing: Outgoing) => void): void {
    // Node-RED sends a bare message out of the first output.
    if (output === MAIN_OUTPUT) {
      send(message);
      return;
    }
    const outgoing: (Message | null)[] = this.outputs.map(() => null);
    outgoing[output] = message;
    send(outgoing);
  }
}

/** A frame's place and format, without its sound; of an event's place, less may be known. */
export type Standing = Pick<AudioFrame, 'format' | 'position' | 'time' | 'preSkip'> &
  Partial<Pick<AudioFrame, 'gap' | 'latencyMs' | 'isRecording'>>;

/** `msg.audio` of what stands at `frame`: the one place where it is written, for all nodes. */
export function describe(
  frame: Standing,
  rest: { readonly samples: number; readonly stream?: string; readonly sequence?: number },
): Record<string, unknown> {
  const { format, position, time, gap, latencyMs, preSkip, isRecording } = frame;
  const { encoding, sampleRate, channels } = format;
  const { samples, stream, sequence } = rest;
  return {
    ...{ encoding, sampleRate, channels, samples },
    ...(stream !== undefined && { stream }),
    ...(sequence !== undefined && { sequence }),
    position,
    ...(isRecording !== true && { time }),
    ...(gap !== undefined && { gap }),
    ...(latencyMs !== undefined && { latencyMs }),
    ...(preSkip !== undefined && { preSkip }),
  };
}

/** What a message asks of the node is not passed on. */
function copyOf(template: Message): Message {
  const copy = { ...template };
  delete copy['reset'];
  delete copy['complete'];
  return copy;
}
