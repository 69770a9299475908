/** The streams of a flow that are to be spoken: each is read, cut into short pieces of work, and ended. */
import type { Clock } from '../../src/audio/clock';
import { badInput, OrgoError } from '../../src/audio/errors';
import { msOfSamples } from '../../src/audio/format';
import type { AudioFrame } from '../../src/audio/frame';
import type { VoiceStream } from '../../src/discord/discord-voice';
import { streamNameOf, type InputSettings } from '../shared/audio-description';
import { MessageReader } from '../shared/messages/message-reader';
import type { Message } from '../shared/red';
import { sliceOf, type Slice } from '../../src/containers/slices';
import { SerialQueue, WorkQueue, type Work } from '../../src/audio/work-queue';

/** What speaks. */
export interface Voice {
  openStream(kind: 'live' | 'recording'): VoiceStream;
  /** Why nothing can be spoken before something changes; undefined where it can. */
  silenceReason(): string | undefined;
}

/** A message with a time and at most so much sound is live. */
const MAX_LIVE_MS = 1000;
/** Sound that is encoded in one go; a few ms of CPU. */
const SLICE_MS = 100;
/** A stream of which nothing was heard for so long gives its encoder back. */
const IDLE_MS = 60_000;
/** At most so many streams at once: the oldest makes room. */
const MAX_STREAMS = 64;
/** Of one stream at most so many bytes wait to be encoded: ten minutes at 48 kHz, stereo, float, and a little. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;

interface Spoken {
  readonly queue: SerialQueue;
  reader: MessageReader;
  voice: VoiceStream | undefined;
  usedAt: number;
}

export class SpokenStreams {
  private readonly streams = new Map<string, Spoken>();
  private readonly queue: WorkQueue;

  constructor(
    private readonly voice: Voice,
    private readonly settings: InputSettings,
    private readonly clock: Clock,
    defer: (fn: () => void) => void,
  ) {
    this.queue = new WorkQueue(clock, defer);
  }

  /**
   * Speaks what a message brings, and ends what it ends. The promise settles when all is encoded.
   * @throws OrgoError `ORGO_BAD_INPUT`; `ORGO_DISCORD_FAILED` for a recording that can't be spoken
   */
  take(msg: Message): void | Promise<void> {
    const bytes = Buffer.isBuffer(msg.payload) ? msg.payload.length : 0;
    if (this.queue.waitingBytes + bytes > MAX_WAITING_BYTES) {
      throw badInput(
        `msg.payload has ${bytes} bytes, and ${this.queue.waitingBytes} wait to be encoded: at most ${MAX_WAITING_BYTES} may wait. Send a recording in parts`,
      );
    }
    const stream = this.streamOf(streamNameOf(msg) ?? '');
    return this.queue.run(stream.queue, this.work(stream, msg), bytes);
  }

  /** What waits to be encoded is dropped. */
  close(): void {
    for (const { queue, voice } of this.streams.values()) {
      this.queue.drop(queue);
      voice?.close();
    }
    this.streams.clear();
  }

  private *work(stream: Spoken, msg: Message): Work {
    const reset = msg['reset'] !== undefined;
    const complete = msg['complete'] === true;
    if (reset) this.startOver(stream);
    try {
      if (msg.payload !== undefined || !(reset || complete)) yield* this.speak(stream, msg);
    } finally {
      if (complete) this.startOver(stream);
    }
  }

  private *speak(stream: Spoken, msg: Message): Work {
    const { frame, timed, startsOver, ends } = stream.reader.read(msg);
    if (startsOver) endVoice(stream);
    if (frame && frame.data.length > 0) {
      const isLive = timed && msOfSamples(frame.format.sampleRate, frame.samples) <= MAX_LIVE_MS;
      const reason = this.voice.silenceReason();
      if (reason === undefined) yield* this.push(stream, frame, isLive);
      // Live sound comes all the time, and the status says why it is not heard.
      else if (!isLive) throw new OrgoError('ORGO_DISCORD_FAILED', `The bot can't speak this: ${reason}`);
    }
    if (ends) endVoice(stream);
  }

  private *push(stream: Spoken, frame: AudioFrame, isLive: boolean): Work {
    if (stream.voice?.isLive !== isLive) endVoice(stream);
    const voice = (stream.voice ??= this.voice.openStream(isLive ? 'live' : 'recording'));
    for (let start: number | undefined = 0; start !== undefined && stream.voice === voice;) {
      if (start > 0) yield;
      const { slice, next }: Slice = sliceOf(frame, start, SLICE_MS);
      voice.push(slice);
      start = next;
    }
  }

  private startOver(stream: Spoken): void {
    endVoice(stream);
    stream.reader = this.newReader();
  }

  private streamOf(name: string): Spoken {
    const now = this.clock.now();
    for (const [other, stream] of this.streams) {
      if (now - stream.usedAt < IDLE_MS && this.streams.size < MAX_STREAMS) break;
      if (other === name || !stream.queue.idle) continue;
      endVoice(stream);
      this.streams.delete(other);
    }
    const stream = this.streams.get(name) ?? {
      ...{ queue: new SerialQueue(), reader: this.newReader(), voice: undefined, usedAt: now },
    };
    stream.usedAt = now;
    // The one that was used last stands last.
    this.streams.delete(name);
    this.streams.set(name, stream);
    return stream;
  }

  private newReader(): MessageReader {
    return new MessageReader({ settings: this.settings, encodings: ['s16le', 'f32le', 'opus'] }, this.clock);
  }
}

function endVoice(stream: Spoken): void {
  const { voice } = stream;
  stream.voice = undefined;
  voice?.end();
}
