/** WhisperLive's server, as its source has it. */
import type { Clock } from '../../../src/audio/clock';
import { textAt, type Fields } from '../../../src/transcribe/fields';
import type { SpokenWord } from './coded-words';
import { Recogniser, type Segment } from './recogniser';
import { WebSocketStandIn, type Caller, type StandInConversation } from './web-socket-stand-in';

/** Of the segments that are complete, so many are sent each time. */
const REPEATED = 10;

export interface WhisperLiveOptions {
  /** Newer servers may ask for one. */
  readonly apiKey?: string;
  /** It has no room for one more. */
  readonly isFull?: boolean;
}

export function startWhisperlive(
  clock: Clock,
  { apiKey, isFull = false }: WhisperLiveOptions = {},
): Promise<WebSocketStandIn> {
  return WebSocketStandIn.start(
    {
      path: '/',
      keyHeader: 'authorization',
      keyValue: apiKey === undefined ? undefined : `Bearer ${apiKey}`,
      sampleBytes: 4,
      converse: (caller) => new Conversation(caller, isFull),
    },
    clock,
  );
}

class Conversation implements StandInConversation {
  private recogniser: Recogniser | undefined;
  private uid = '';
  private readonly complete: object[] = [];

  constructor(
    private readonly caller: Caller,
    private readonly isFull: boolean,
  ) {}

  message(message: Fields): void {
    const { caller } = this;
    if (this.recogniser) caller.violation('a second text');
    for (const name of ['uid', 'language', 'task', 'model', 'use_vad']) {
      if (!(name in message)) caller.violation(`options without ${name}`);
    }
    this.uid = textAt(message, 'uid') ?? '';
    if (this.isFull) {
      this.say({ status: 'WAIT', message: 3.2 });
      caller.socket.close(1000);
      return;
    }
    if (message['model'] === 'none') {
      this.say({ status: 'ERROR', message: 'Failed to load model: none' });
      caller.socket.close(1000);
      return;
    }
    this.recogniser = new Recogniser(16_000, {
      onWords: (words) => this.segments(segmentOf(words, false)),
      onSegment: (segment) => this.segment(segment),
    });
    this.say({ message: 'SERVER_READY', backend: 'faster_whisper' });
    this.say({ language: 'en', language_prob: 0.99 });
  }

  sound(data: Buffer): void {
    const { caller, recogniser } = this;
    if (data.toString() === 'END_OF_AUDIO') {
      caller.isEnding = true;
      caller.socket.close(1000);
      return;
    }
    if (!recogniser) caller.violation('sound before it was ready');
    const samples = new Int16Array(data.length / 4);
    for (let i = 0; i < samples.length; i++) samples[i] = Math.round(data.readFloatLE(i * 4) * 32_768);
    recogniser?.push(Buffer.from(samples.buffer));
  }

  private segment({ words }: Segment): void {
    if (words.length === 0) return;
    this.complete.push(segmentOf(words, true));
    this.segments();
  }

  private segments(last?: object): void {
    const segments = [...this.complete.slice(-REPEATED), ...(last ? [last] : [])];
    this.say({ segments });
  }

  private say(message: object): void {
    this.caller.send({ uid: this.uid, ...message });
  }
}

function segmentOf(words: readonly SpokenWord[], completed: boolean): object {
  const seconds = (ms = 0): string => (ms / 1000).toFixed(3);
  return {
    ...{ start: seconds(words[0]?.startMs), end: seconds(words.at(-1)?.endMs), completed },
    text: ` ${words.map(({ text }) => text).join(' ')}`,
    words: words.map(({ text, startMs, endMs }) => ({
      ...{ word: ` ${text}`, start: seconds(startMs), end: seconds(endMs), probability: 0.94 },
    })),
  };
}
