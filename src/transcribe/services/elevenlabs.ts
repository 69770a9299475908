/** ElevenLabs' Scribe in real time (https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime). */
import { objectsAt, secondsAt, textAt, type Fields } from '../fields';
import type { FailureKind } from '../failure';
import { heardWord, type HeardWord } from '../heard';
import type { Conversation, ServiceOptions, StreamService, Talk } from '../service';

const DEFAULT_MODEL = 'scribe_v2_realtime';
const SAMPLE_RATE = 16_000;
/** Longer context is refused. */
const MAX_CONTEXT = 50;
/** A turn of its own may cross the end that we ask for: so often it is asked again for what followed. */
const MAX_LAST_COMMITS = 3;

/** What a message is that is an error, by its type. */
const ERRORS: Readonly<Record<string, FailureKind>> = {
  auth_error: 'key',
  quota_exceeded: 'refused',
  unaccepted_terms: 'refused',
  unaccepted_terms_error: 'refused',
  invalid_request: 'refused',
  input_error: 'refused',
  rate_limited: 'failed',
  queue_overflow: 'failed',
  resource_exhausted: 'failed',
  session_time_limit_exceeded: 'failed',
  chunk_size_exceeded: 'failed',
  insufficient_audio_activity: 'failed',
  transcriber_error: 'failed',
  server_error: 'failed',
  error: 'failed',
};

export const ELEVENLABS: StreamService = {
  kind: 'stream',
  name: 'elevenlabs',
  title: 'ElevenLabs Scribe',
  address: 'wss://api.elevenlabs.io/v1/speech-to-text/realtime',
  addressForm: 'wss://host/v1/speech-to-text/realtime',
  schemes: ['wss:', 'ws:'],
  needsKey: true,
  audio: { format: { encoding: 's16le', sampleRate: SAMPLE_RATE, channels: 1 }, pieceMs: 100 },
  request(options) {
    const url = new URL(options.url);
    for (const [name, value] of Object.entries(queryOf(options))) url.searchParams.set(name, value);
    return { url, ...(options.apiKey !== '' && { headers: { 'xi-api-key': options.apiKey } }) };
  },
  converse: (options, talk) => new ScribeConversation(options, talk),
};

function queryOf({ model, language, commit }: ServiceOptions): Record<string, string> {
  return {
    model_id: model === '' ? DEFAULT_MODEL : model,
    audio_format: `pcm_${SAMPLE_RATE}`,
    commit_strategy: commit === 'speech' ? 'manual' : 'vad',
    include_timestamps: 'true',
    ...(language !== '' && { language_code: language }),
  };
}

class ScribeConversation implements Conversation {
  /** Committed words that come again with their times. */
  private held: string | undefined;
  /** Where our commits were that are not answered. */
  private readonly commits: number[] = [];
  private lastCommits = 0;
  private isFirst = true;

  constructor(
    private readonly options: ServiceOptions,
    private readonly talk: Talk,
  ) {}

  open(): void {
    // Its session_started comes by itself.
  }

  sound(piece: Buffer): void {
    const { prompt } = this.options;
    this.chunk(
      piece,
      false,
      this.isFirst && prompt !== '' ? { previous_text: prompt.slice(-MAX_CONTEXT) } : {},
    );
    this.isFirst = false;
  }

  commit(): void {
    this.commits.push(this.talk.sentMs);
    this.chunk(Buffer.alloc(0), true);
  }

  finish(): void {
    this.lastCommits = 1;
    this.commit();
  }

  answer(message: Fields): void {
    const type = textAt(message, 'message_type') ?? 'none';
    const text = textAt(message, 'text') ?? '';
    switch (type) {
      case 'session_started':
        this.talk.ready();
        break;
      case 'partial_transcript':
        this.tellHeld();
        if (text !== '') this.talk.interim({ text });
        break;
      case 'committed_transcript':
        this.tellHeld();
        this.held = text;
        if (text === '') this.tellHeld();
        break;
      case 'committed_transcript_with_timestamps':
        this.timed(text, wordsIn(message), textAt(message, 'language_code'));
        break;
      case 'commit_throttled':
        this.answered(true);
        break;
      default:
        this.error(type, textAt(message, 'error') ?? textAt(message, 'message') ?? '');
    }
  }

  private chunk(piece: Buffer, commit: boolean, more: object = {}): void {
    this.talk.send({
      ...{ message_type: 'input_audio_chunk', audio_base_64: piece.toString('base64'), commit },
      ...{ sample_rate: SAMPLE_RATE, ...more },
    });
  }

  private error(type: string, said: string): void {
    const kind = Object.hasOwn(ERRORS, type) ? ERRORS[type] : undefined;
    if (kind) this.talk.fail(kind, said === '' ? type : `${said} (${type})`);
    else this.talk.nonsense(`a message of type ${type}`);
  }

  private timed(text: string, words: HeardWord[], language: string | undefined): void {
    if (this.held === undefined && text !== '' && words.length === 0) {
      this.talk.nonsense('words with times that it did not commit');
      return;
    }
    this.held = undefined;
    this.final(text, words, language);
  }

  /** Its times did not come. */
  private tellHeld(): void {
    const { held } = this;
    this.held = undefined;
    if (held !== undefined) this.final(held, [], undefined);
  }

  private final(text: string, words: HeardWord[], language: string | undefined): void {
    this.talk.final({ text, words, language });
    this.answered(text === '');
  }

  /** A commit was answered. @param isLast there was nothing to commit */
  private answered(isLast: boolean): void {
    const untilMs = this.commits.shift();
    if (untilMs === undefined) return;
    if (this.options.commit === 'speech' || isLast) this.talk.settled(untilMs);
    this.talk.committed();
    if (this.lastCommits === 0) return;
    if (isLast || this.options.commit === 'speech' || this.lastCommits >= MAX_LAST_COMMITS)
      this.talk.finished();
    else {
      this.lastCommits++;
      this.commit();
    }
  }
}

/** Between words it tells of `spacing`. */
function wordsIn(message: Fields): HeardWord[] {
  return objectsAt(message, 'words')
    .filter((word) => textAt(word, 'type') !== 'spacing')
    .map((word) => heardWord(textAt(word, 'text'), secondsAt(word, 'start'), secondsAt(word, 'end')))
    .filter((word) => word !== undefined);
}
