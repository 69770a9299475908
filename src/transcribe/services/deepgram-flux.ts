/** Deepgram Flux, which hears turns (https://developers.deepgram.com/docs/flux/quickstart). */
import { numberAt, objectsAt, secondsAt, textAt, type Fields } from '../fields';
import type { FailureKind } from '../failure';
import { heardWord, type Heard, type HeardWord } from '../heard';
import type { Conversation, ServiceOptions, StreamService, Talk } from '../service';

const ENGLISH_MODEL = 'flux-general-en';
const OTHER_MODEL = 'flux-general-multi';
const SAMPLE_RATE = 16_000;
/** It closes what is silent for 10 s, and takes no message that keeps it open: silence is sound. */
const KEEP_ALIVE_MS = 4000;
/** Where speech ends turns, one that is never ended is ended so long after the last word. */
const BACKSTOP_MS = 10_000;
/** Sound that is newer may hold a word of which it has said nothing. */
const MARGIN_MS = 1000;
const KEY = /auth|credential|forbidden|permission/i;
const REFUSED = /bad_request|invalid|model|unsupported|payment|quota|unparsable|unprocessable/i;

export const DEEPGRAM_FLUX: StreamService = {
  kind: 'stream',
  name: 'deepgram-flux',
  title: 'Deepgram Flux',
  address: 'wss://api.deepgram.com/v2/listen',
  addressForm: 'wss://host/v2/listen',
  schemes: ['wss:', 'ws:'],
  needsKey: true,
  audio: {
    format: { encoding: 's16le', sampleRate: SAMPLE_RATE, channels: 1 },
    pieceMs: 80,
    keepAliveMs: KEEP_ALIVE_MS,
  },
  request(options) {
    const url = new URL(options.url);
    for (const [name, value] of Object.entries(queryOf(options))) url.searchParams.set(name, value);
    return { url, ...(options.apiKey !== '' && { headers: { authorization: `Token ${options.apiKey}` } }) };
  },
  converse: (options, talk) => new FluxConversation(options, talk),
};

function queryOf({ model: entered, language, prompt, commit }: ServiceOptions): Record<string, string> {
  const model = entered !== '' ? entered : /^(en\b|$)/i.test(language) ? ENGLISH_MODEL : OTHER_MODEL;
  return {
    model,
    encoding: 'linear16',
    sample_rate: String(SAMPLE_RATE),
    // The English model takes no hint.
    ...(language !== '' && model !== ENGLISH_MODEL && { language_hint: language }),
    ...(prompt !== '' && { keyterm: prompt }),
    ...(commit === 'speech' && { eot_threshold: '1.0', eot_timeout_ms: String(BACKSTOP_MS) }),
  };
}

class FluxConversation implements Conversation {
  /** Some deployments refuse it: where the service ends turns, it is left out. */
  readonly commit?: () => void;
  /** The words of the turn that is being said. */
  private heard: Heard | undefined;
  private isFinishing = false;
  /** Where our commits were that are not answered. */
  private commits: number[] = [];

  constructor(
    { commit }: ServiceOptions,
    private readonly talk: Talk,
  ) {
    if (commit === 'speech') this.commit = () => this.endTurn();
  }

  open(): void {
    // Its Connected comes by itself.
  }

  sound(piece: Buffer): void {
    this.talk.send(piece);
  }

  finish(): void {
    this.isFinishing = true;
    this.talk.send({ type: 'CloseStream' });
  }

  answer(message: Fields): void {
    const type = textAt(message, 'type');
    switch (type) {
      case 'Connected':
        this.talk.ready();
        break;
      case 'TurnInfo':
        this.turn(message);
        break;
      case 'Error':
      case 'FatalError':
        this.error(textAt(message, 'code') ?? '', textAt(message, 'description') ?? '');
        break;
      case 'ConfigureSuccess':
        break;
      case undefined:
      default:
        this.talk.nonsense(`a message of type ${type ?? 'none'}`);
    }
  }

  /** The end brings no EndOfTurn: the words that came last are final. */
  closeMeans(code: number): FailureKind | undefined {
    if (this.isFinishing && code <= 1005 && this.heard) this.talk.final(this.heard);
    return code === 1008 ? 'refused' : undefined;
  }

  private endTurn(): void {
    this.commits.push(this.talk.sentMs);
    this.talk.send({ type: 'ForceEndTurn' });
  }

  private error(code: string, said: string): void {
    const kind = KEY.test(code) ? 'key' : REFUSED.test(code) ? 'refused' : 'failed';
    this.talk.fail(kind, `${said} (${code})`);
  }

  private turn(message: Fields): void {
    const text = textAt(message, 'transcript');
    const endMs = secondsAt(message, 'audio_window_end');
    if (text === undefined || endMs === undefined) {
      this.talk.nonsense('TurnInfo without words or times');
      return;
    }
    const heard = heardOf(message, text, endMs);
    if (message['event'] === 'EndOfTurn') {
      this.heard = undefined;
      this.talk.final(heard);
      this.talk.settled(endMs);
      this.answered(endMs);
    } else if (text === '') {
      this.talk.settled(endMs - MARGIN_MS);
      this.answered(endMs - MARGIN_MS);
    } else {
      this.heard = heard;
      this.talk.interim(heard);
    }
  }

  /** Our commits before this are answered, or there was no turn to end. */
  private answered(untilMs: number): void {
    const open = this.commits.filter((ms) => ms > untilMs);
    for (let i = open.length; i < this.commits.length; i++) this.talk.committed();
    this.commits = open;
  }
}

function heardOf(message: Fields, text: string, endMs: number): Heard {
  const all = objectsAt(message, 'words').map(wordOf);
  const words = all.filter((word) => word !== undefined);
  const [language] = Array.isArray(message['languages']) ? (message['languages'] as unknown[]) : [];
  return {
    text: text.trim(),
    startMs: secondsAt(message, 'audio_window_start'),
    endMs,
    ...(words.length === all.length && { words }),
    language: typeof language === 'string' ? language : undefined,
  };
}

/** Older deployments tell no times of words. */
function wordOf(word: Fields): HeardWord | undefined {
  const [startMs, endMs] = [secondsAt(word, 'start'), secondsAt(word, 'end')];
  return heardWord(textAt(word, 'word'), startMs, endMs, numberAt(word, 'confidence'));
}
