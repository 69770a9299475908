/** WhisperLive's server (https://github.com/collabora/WhisperLive, whisper_live/server.py). */
import { randomUUID } from 'node:crypto';
import { numberAt, objectsAt, textAt, type Fields } from '../fields';
import type { FailureKind } from '../failure';
import { heardWord, type Heard, type HeardWord } from '../heard';
import type { Conversation, ServiceOptions, StreamService, Talk } from '../service';

/** Its own; a name that ends with `.en` hears English alone. */
const DEFAULT_MODEL = 'small';
/** What is complete is sent again and again: times are told with so many digits. */
const ROUNDING_MS = 1;

export const WHISPERLIVE: StreamService = {
  kind: 'stream',
  name: 'whisperlive',
  title: 'WhisperLive',
  addressForm: 'ws://host:9090',
  schemes: ['ws:', 'wss:'],
  needsKey: false,
  audio: { format: { encoding: 'f32le', sampleRate: 16_000, channels: 1 }, pieceMs: 100 },
  // Servers that ask for one want it so.
  request: ({ url, apiKey }) => ({
    url,
    ...(apiKey !== '' && { headers: { authorization: `Bearer ${apiKey}` } }),
  }),
  converse: (options, talk) => new WhisperLiveConversation(options, talk),
};

class WhisperLiveConversation implements Conversation {
  private readonly uid = randomUUID();
  private isFinishing = false;
  private toldMs = 0;
  private language: string | undefined;
  /** The last segment, which never completes by itself. */
  private last: Heard | undefined;

  constructor(
    private readonly options: ServiceOptions,
    private readonly talk: Talk,
  ) {}

  open(): void {
    const { model, language, prompt } = this.options;
    this.talk.send({
      ...{ uid: this.uid, language: language === '' ? null : language, task: 'transcribe' },
      ...{ model: model === '' ? DEFAULT_MODEL : model, use_vad: true, word_timestamps: true },
      ...(prompt !== '' && { initial_prompt: prompt }),
    });
  }

  sound(piece: Buffer): void {
    this.talk.send(piece);
  }

  finish(): void {
    this.isFinishing = true;
    this.talk.send(Buffer.from('END_OF_AUDIO'));
  }

  answer(message: Fields): void {
    const { uid } = this;
    const [status, said] = [textAt(message, 'status'), message['message']];
    if (message['uid'] !== uid) this.talk.nonsense('an answer that is for someone else');
    else if (status === 'WAIT') this.talk.fail('failed', `it is full for ${minutes(said)} minutes`);
    else if (status === 'ERROR') this.talk.fail('refused', String(said));
    else if (status === 'WARNING') return;
    else if (said === 'SERVER_READY') this.talk.ready();
    else if (said === 'DISCONNECT') this.talk.fail('failed', 'it ends each connection after a while');
    else if (Array.isArray(message['segments'])) this.segments(objectsAt(message, 'segments'));
    else if (textAt(message, 'language') !== undefined) this.language = textAt(message, 'language');
    else this.talk.nonsense('an answer without segments');
  }

  /** The end brings no last words: those that came last are final. */
  closeMeans(code: number): FailureKind | undefined {
    if (this.isFinishing && code <= 1005 && this.last) this.talk.final(this.last);
    return undefined;
  }

  private segments(segments: readonly Fields[]): void {
    this.last = undefined;
    for (const segment of segments) {
      const heard = this.heardOf(segment);
      if (!heard) this.talk.nonsense('a segment without text or times');
      else if (heard.endMs <= this.toldMs + ROUNDING_MS) continue;
      else if (segment['completed'] === true) {
        this.toldMs = heard.endMs;
        this.talk.final(heard);
      } else {
        this.last = heard;
        if (heard.text !== '') this.talk.interim(heard);
      }
    }
  }

  private heardOf(segment: Fields): (Heard & { endMs: number }) | undefined {
    const text = textAt(segment, 'text')?.trim();
    const [startMs, endMs] = [msAt(segment, 'start'), msAt(segment, 'end')];
    if (text === undefined || startMs === undefined || endMs === undefined) return undefined;
    const all = objectsAt(segment, 'words').map(wordOf);
    const words = all.filter((word) => word !== undefined);
    return {
      ...{ text, startMs, endMs, language: this.language },
      ...(words.length === all.length && { words }),
    };
  }
}

/** Older servers tell no words. */
function wordOf(word: Fields): HeardWord | undefined {
  const text = textAt(word, 'word')?.trim();
  return heardWord(text, msAt(word, 'start'), msAt(word, 'end'), numberAt(word, 'probability'));
}

/** Its seconds are text. */
function msAt(fields: Fields, name: string): number | undefined {
  const text = textAt(fields, name);
  const seconds = text === undefined ? numberAt(fields, name) : text === '' ? NaN : Number(text);
  return seconds === undefined || !Number.isFinite(seconds) ? undefined : seconds * 1000;
}

function minutes(said: unknown): number {
  return typeof said === 'number' ? Math.ceil(said) : 1;
}
