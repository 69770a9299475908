/** AssemblyAI's streaming, third generation (https://www.assemblyai.com/docs/streaming/message-sequence). */
import { numberAt, objectsAt, textAt, type Fields } from '../fields';
import type { FailureKind } from '../failure';
import { heardWord, type HeardWord } from '../heard';
import type { Conversation, ServiceOptions, StreamService, Talk } from '../service';

/** A model has to be named; these are the cheapest. */
const ENGLISH_MODEL = 'universal-streaming-english';
const OTHER_MODEL = 'universal-streaming-multilingual';
const SAMPLE_RATE = 16_000;
/** So long must sound be silent for a turn that speech is to end; else it would end by itself. */
const MAX_TURN_SILENCE_MS = 10_000;
/** The first words of a turn may move to the front by as much. */
const MARGIN_MS = 500;
const NO_MONEY = /balance|concurrent|quota|plan|upgrade/i;

export const ASSEMBLYAI: StreamService = {
  kind: 'stream',
  name: 'assemblyai',
  title: 'AssemblyAI',
  address: 'wss://streaming.assemblyai.com/v3/ws',
  addressForm: 'wss://host/v3/ws',
  schemes: ['wss:', 'ws:'],
  needsKey: true,
  audio: {
    format: { encoding: 's16le', sampleRate: SAMPLE_RATE, channels: 1 },
    pieceMs: 100,
    // It closes on shorter pieces, and on sound that is faster than real time (3007).
    minPieceMs: 50,
    maxSpeed: 1,
  },
  request(options) {
    const url = new URL(options.url);
    for (const [name, value] of Object.entries(queryOf(options))) url.searchParams.set(name, value);
    return { url, ...(options.apiKey !== '' && { headers: { authorization: options.apiKey } }) };
  },
  converse: (_options, talk) => new AssemblyConversation(talk),
};

function queryOf({ model: entered, language, prompt, commit }: ServiceOptions): Record<string, string> {
  const model = entered !== '' ? entered : /^(en\b|$)/i.test(language) ? ENGLISH_MODEL : OTHER_MODEL;
  return {
    sample_rate: String(SAMPLE_RATE),
    encoding: 'pcm_s16le',
    speech_model: model,
    format_turns: 'true',
    ...(prompt !== '' && { keyterms_prompt: JSON.stringify(prompt.split(/\s*[,\n]\s*/).filter(Boolean)) }),
    ...(commit === 'speech' && {
      end_of_turn_confidence_threshold: '1',
      max_turn_silence: String(MAX_TURN_SILENCE_MS),
    }),
  };
}

class AssemblyConversation implements Conversation {
  /** The last of a turn, which comes again with punctuation. */
  private ended: Fields | undefined;
  /** Turns up to this one are told. */
  private toldTurn = -1;
  /** The turn whose first words have come. */
  private begunTurn = -1;
  private commits = 0;

  constructor(private readonly talk: Talk) {}

  open(): void {
    // Its Begin comes by itself.
  }

  sound(piece: Buffer): void {
    this.talk.send(piece);
  }

  commit(): void {
    this.commits++;
    this.talk.send({ type: 'ForceEndpoint' });
  }

  finish(): void {
    this.talk.send({ type: 'Terminate' });
  }

  answer(message: Fields): void {
    const type = textAt(message, 'type');
    switch (type) {
      case 'Begin':
        this.talk.ready();
        break;
      case 'Turn':
        this.turn(message);
        break;
      case 'Termination':
        this.tellEnded();
        this.talk.finished();
        break;
      case 'Error':
        this.error(numberAt(message, 'error_code') ?? 0, textAt(message, 'error') ?? '');
        break;
      case 'SpeechStarted':
      case 'SpeakerRevision':
      case 'Heartbeat':
        break;
      case undefined:
      default:
        this.talk.nonsense(`a message of type ${type ?? 'none'}`);
    }
  }

  closeMeans(code: number, reason: string): FailureKind | undefined {
    return code === 1008
      ? NO_MONEY.test(reason)
        ? 'refused'
        : 'key'
      : code === 3006
        ? 'refused'
        : undefined;
  }

  private error(code: number, said: string): void {
    this.talk.fail(this.closeMeans(code, said) ?? 'failed', said);
  }

  private turn(message: Fields): void {
    const order = numberAt(message, 'turn_order');
    if (order === undefined || textAt(message, 'transcript') === undefined) {
      this.talk.nonsense('a Turn without its number or its words');
      return;
    }
    if (order <= this.toldTurn) return;
    if (this.ended && numberAt(this.ended, 'turn_order') !== order) this.tellEnded();
    if (message['end_of_turn'] === true) {
      this.ended = message;
      if (message['turn_is_formatted'] === true) this.tellEnded();
    } else {
      this.interim(message, order);
    }
  }

  private interim(message: Fields, order: number): void {
    const words = wordsIn(message);
    const [first] = words;
    if (!first) return;
    if (order > this.begunTurn) {
      this.begunTurn = order;
      this.talk.settled(Math.max(0, first.startMs - MARGIN_MS));
    }
    // Its transcript lacks the word that is being said.
    this.talk.interim({ text: words.map(({ text }) => text).join(' '), words });
  }

  private tellEnded(): void {
    const { ended } = this;
    if (!ended) return;
    this.ended = undefined;
    this.toldTurn = numberAt(ended, 'turn_order') ?? this.toldTurn;
    const words = wordsIn(ended);
    this.talk.final({
      text: textAt(ended, 'transcript') ?? '',
      words,
      language: textAt(ended, 'language_code'),
    });
    for (; this.commits > 0; this.commits--) this.talk.committed();
  }
}

/** Its times are ms of the session. */
function wordsIn(message: Fields): HeardWord[] {
  return objectsAt(message, 'words')
    .map((word) =>
      heardWord(
        textAt(word, 'text'),
        numberAt(word, 'start'),
        numberAt(word, 'end'),
        numberAt(word, 'confidence'),
      ),
    )
    .filter((word) => word !== undefined);
}
