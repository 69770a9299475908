/** Vosk's server, as its source has it: one answer for each message, in order. */
import type { Clock } from '../../../src/audio/clock';
import { objectAt, textAt, type Fields } from '../../../src/transcribe/fields';
import type { SpokenWord } from './coded-words';
import { Recogniser } from './recogniser';
import { WebSocketStandIn, type Caller, type StandInConversation } from './web-socket-stand-in';

export interface VoskOptions {
  /** Of a proxy in front of it; it wants none itself. */
  readonly apiKey?: string;
  /** From before December 2023: `reset` ends the connection. */
  readonly isOld?: boolean;
}

export function startVosk(
  clock: Clock,
  { apiKey, isOld = false }: VoskOptions = {},
): Promise<WebSocketStandIn> {
  return WebSocketStandIn.start(
    {
      path: '/',
      keyHeader: 'authorization',
      keyValue: apiKey === undefined ? undefined : `Bearer ${apiKey}`,
      sampleBytes: 2,
      converse: (caller) => new Conversation(caller, isOld),
    },
    clock,
  );
}

class Conversation implements StandInConversation {
  private recogniser: Recogniser | undefined;
  private sampleRate = 8000;
  private hasWordTimes = false;
  private partial = '';
  private segments: (readonly SpokenWord[])[] = [];

  constructor(
    private readonly caller: Caller,
    private readonly isOld: boolean,
  ) {}

  sound(data: Buffer): void {
    this.recogniser ??= this.begin();
    this.recogniser.push(data);
    this.answer();
  }

  message(message: Fields): void {
    const { caller } = this;
    if ('config' in message) {
      if (this.recogniser) caller.violation('config after sound');
      const config = objectAt(message, 'config');
      if (textAt(config, 'model') !== undefined) caller.socket.close(1011);
      this.sampleRate = Number(config['sample_rate']);
      this.hasWordTimes = config['words'] === true;
      return;
    }
    this.recogniser ??= this.begin();
    switch (caller.received.at(-1)) {
      case '{"eof" : 1}':
        caller.isEnding = true;
        this.end();
        caller.socket.close(1000);
        break;
      case '{"reset" : 1}':
        if (this.isOld) caller.socket.close(1011);
        else this.end();
        break;
      case undefined:
      default:
        caller.violation(`a text that it takes for sound: ${String(caller.received.at(-1))}`);
    }
  }

  private begin(): Recogniser {
    return new Recogniser(this.sampleRate, {
      onWords: (words) => {
        this.partial = textOf(words);
      },
      onSegment: ({ words }) => this.segments.push(words),
    });
  }

  private end(): void {
    if (this.recogniser?.end() !== true) this.segments.push([]);
    this.answer();
  }

  private answer(): void {
    const { segments, partial } = this;
    if (segments.length === 0) {
      this.caller.send({ partial });
      return;
    }
    const words = segments.flat();
    this.segments = [];
    this.partial = '';
    const hasTimes = this.hasWordTimes && words.length > 0;
    this.caller.send({ ...(hasTimes && { result: words.map(resultOf) }), text: textOf(words) });
  }
}

function resultOf({ text, startMs, endMs }: SpokenWord): object {
  return { conf: 0.97, end: endMs / 1000, start: startMs / 1000, word: text };
}

function textOf(words: readonly SpokenWord[]): string {
  return words.map(({ text }) => text).join(' ');
}
