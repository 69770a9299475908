/** Vosk's server (https://github.com/alphacep/vosk-server, websocket/asr_server.py). */
import { numberAt, objectsAt, secondsAt, textAt, type Fields } from '../fields';
import type { FailureKind } from '../failure';
import { heardWord, type Heard, type HeardWord } from '../heard';
import type { Conversation, ServiceOptions, StreamService, Talk } from '../service';

const SAMPLE_RATE = 16_000;
/** What it compares with, letter by letter. */
const END = '{"eof" : 1}';
const RESET = '{"reset" : 1}';
/** A server that does not answer every message leaves no more than these behind. */
const MAX_UNANSWERED = 2000;

export const VOSK: StreamService = {
  kind: 'stream',
  name: 'vosk',
  title: 'Vosk',
  addressForm: 'ws://host:2700',
  schemes: ['ws:', 'wss:'],
  needsKey: false,
  audio: { format: { encoding: 's16le', sampleRate: SAMPLE_RATE, channels: 1 }, pieceMs: 40 },
  // It knows no keys; a proxy in front of it may want one.
  request: ({ url, apiKey }) => ({
    url,
    ...(apiKey !== '' && { headers: { authorization: `Bearer ${apiKey}` } }),
  }),
  converse: (options, talk) => new VoskConversation(options, talk),
};

/** A message that it answers: it sends one answer for each, in order. */
interface Asked {
  readonly what: 'sound' | 'reset' | 'end';
  /** All that was sent until then. */
  readonly untilMs: number;
}

class VoskConversation implements Conversation {
  /** Servers from before December 2023 can't do this: where the service ends turns, it is left out. */
  readonly commit?: () => void;
  private asked: Asked[] = [];
  private isAnswering = false;
  /** Nothing of the turn was said before this. */
  private quietMs = 0;

  constructor(
    private readonly options: ServiceOptions,
    private readonly talk: Talk,
  ) {
    if (options.commit === 'speech') this.commit = () => this.ask('reset', RESET);
  }

  open(): void {
    const { model } = this.options;
    const config = { sample_rate: SAMPLE_RATE, words: true, max_alternatives: 0 };
    this.talk.send({ config: model === '' ? config : { ...config, model } });
    this.talk.ready();
  }

  sound(piece: Buffer): void {
    this.ask('sound', piece, piece.length / 2 / (SAMPLE_RATE / 1000));
  }

  finish(): void {
    this.ask('end', END);
  }

  answer(message: Fields): void {
    const [partial, text] = [textAt(message, 'partial'), textAt(message, 'text')];
    if (partial === undefined && text === undefined) {
      this.talk.nonsense('an answer without text');
      return;
    }
    this.isAnswering = true;
    const { what, untilMs } = this.asked.shift() ?? { what: 'sound', untilMs: this.talk.sentMs };
    if (text === undefined) this.partial(partial ?? '', untilMs);
    else this.final({ text, words: wordsIn(message) }, untilMs);
    if (what === 'reset') this.talk.committed();
    if (what === 'end') this.talk.finished();
  }

  /** It closes so where it fails by what it was sent. */
  closeMeans(code: number): FailureKind | undefined {
    if (code !== 1011) return undefined;
    if (this.asked[0]?.what === 'reset') {
      this.talk.fail('refused', 'it can’t end a turn when asked: update it, or set commit to service');
    } else if (!this.isAnswering && this.options.model !== '') {
      this.talk.fail('refused', `it can’t load the model ${this.options.model}`);
    }
    return undefined;
  }

  private ask(what: Asked['what'], message: string | Buffer, lastsMs = 0): void {
    this.asked.push({ what, untilMs: this.talk.sentMs + lastsMs });
    if (this.asked.length > MAX_UNANSWERED) this.asked.shift();
    this.talk.send(message);
  }

  private partial(text: string, untilMs: number): void {
    if (text === '') this.quietMs = untilMs;
    else this.talk.interim({ text, startMs: this.quietMs, endMs: untilMs });
  }

  private final(heard: Heard, untilMs: number): void {
    if (heard.text !== '') this.talk.final({ startMs: this.quietMs, endMs: untilMs, ...heard });
    this.quietMs = untilMs;
    this.talk.settled(untilMs);
  }
}

function wordsIn(message: Fields): HeardWord[] {
  return objectsAt(message, 'result')
    .map((word) =>
      heardWord(
        textAt(word, 'word'),
        secondsAt(word, 'start'),
        secondsAt(word, 'end'),
        numberAt(word, 'conf'),
      ),
    )
    .filter((word) => word !== undefined);
}
