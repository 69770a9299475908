/** Deepgram, first generation (https://developers.deepgram.com/reference/speech-to-text/listen-streaming). */
import { numberAt, objectAt, objectsAt, secondsAt, textAt, type Fields } from '../fields';
import type { FailureKind } from '../failure';
import { heardWord, type Heard, type HeardWord } from '../heard';
import type { Conversation, ServiceOptions, StreamService, Talk } from '../service';

const DEFAULT_MODEL = 'nova-3';
const SAMPLE_RATE = 16_000;
/** It closes what is silent for 10 s, and advises 3 to 5. */
const KEEP_ALIVE_MS = 4000;

export const DEEPGRAM: StreamService = {
  kind: 'stream',
  name: 'deepgram',
  title: 'Deepgram',
  address: 'wss://api.deepgram.com/v1/listen',
  addressForm: 'wss://host/v1/listen',
  schemes: ['wss:', 'ws:'],
  needsKey: true,
  audio: {
    format: { encoding: 's16le', sampleRate: SAMPLE_RATE, channels: 1 },
    pieceMs: 40,
    keepAliveMs: KEEP_ALIVE_MS,
  },
  request(options) {
    const url = new URL(options.url);
    for (const [name, value] of Object.entries(queryOf(options))) url.searchParams.set(name, value);
    return { url, headers: { authorization: `Token ${options.apiKey}` } };
  },
  converse: (_options, talk) => new DeepgramConversation(talk),
};

function queryOf({ model, language, prompt, interim, commit }: ServiceOptions): Record<string, string> {
  return {
    model: model === '' ? DEFAULT_MODEL : model,
    encoding: 'linear16',
    sample_rate: String(SAMPLE_RATE),
    channels: '1',
    interim_results: String(interim),
    punctuate: 'true',
    ...(language !== '' && { language }),
    // What nova-3 is told to expect; it has no free prompt.
    ...(prompt !== '' && { keyterm: prompt }),
    ...(commit === 'speech' && { endpointing: 'false' }),
  };
}

class DeepgramConversation implements Conversation {
  constructor(private readonly talk: Talk) {}

  open(): void {
    this.talk.ready();
  }

  sound(piece: Buffer): void {
    this.talk.send(piece);
  }

  keepAlive(): void {
    this.talk.send({ type: 'KeepAlive' });
  }

  commit(): void {
    this.talk.send({ type: 'Finalize' });
  }

  finish(): void {
    this.talk.send({ type: 'CloseStream' });
  }

  answer(message: Fields): void {
    switch (textAt(message, 'type')) {
      case 'Results':
        this.results(message);
        break;
      case 'Error':
        this.talk.fail('failed', textAt(message, 'description') ?? textAt(message, 'message') ?? '');
        break;
      case 'Metadata':
      case 'SpeechStarted':
      case 'UtteranceEnd':
        break;
      case undefined:
      default:
        this.talk.nonsense(`a message of type ${textAt(message, 'type') ?? 'none'}`);
    }
  }

  /** DATA-0000: not audio; NET-0001: silence for 10 s; both go with 1008 and 1011. */
  closeMeans(code: number): FailureKind | undefined {
    return code === 1008 ? 'refused' : undefined;
  }

  private results(message: Fields): void {
    const [best] = objectsAt(objectAt(message, 'channel'), 'alternatives');
    const [startMs, lastsMs] = [secondsAt(message, 'start'), secondsAt(message, 'duration')];
    if (!best || startMs === undefined || lastsMs === undefined) {
      this.talk.nonsense('Results without alternatives or times');
      return;
    }
    const heard = heardOf(best);
    if (message['is_final'] !== true) {
      if (heard.text !== '') this.talk.interim(heard);
      return;
    }
    if (heard.text === '') this.talk.settled(startMs + lastsMs);
    else this.talk.final({ startMs, endMs: startMs + lastsMs, ...heard });
    if (message['from_finalize'] === true) this.talk.committed();
  }
}

function heardOf(alternative: Fields): Heard {
  const words = objectsAt(alternative, 'words').map(wordOf);
  const [language] = Array.isArray(alternative['languages']) ? (alternative['languages'] as unknown[]) : [];
  return {
    text: (textAt(alternative, 'transcript') ?? '').trim(),
    confidence: numberAt(alternative, 'confidence'),
    words: words.filter((word) => word !== undefined),
    language: typeof language === 'string' ? language : undefined,
  };
}

function wordOf(word: Fields): HeardWord | undefined {
  const text = textAt(word, 'punctuated_word') ?? textAt(word, 'word');
  return heardWord(text, secondsAt(word, 'start'), secondsAt(word, 'end'), numberAt(word, 'confidence'));
}
