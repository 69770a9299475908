/** OpenAI's realtime transcription (https://developers.openai.com/api/docs/guides/realtime-transcription), and what is compatible. */
import { numberAt, objectAt, textAt, type Fields } from '../fields';
import type { FailureKind } from '../failure';
import type { Conversation, ServiceOptions, StreamService, Talk } from '../service';

/** It hears turns by itself. */
const MODEL_WITH_TURNS = 'gpt-4o-transcribe';
/** It hears better, and gives words while they are said; but only we can end a turn. */
const MODEL_WITHOUT_TURNS = 'gpt-live-transcribe';
/** The only rate of its PCM. */
const SAMPLE_RATE = 24_000;
/** Less sound is no turn. */
const LEAST_MS = 100;
/** The times that it tells of a turn include these. */
const PADDING_MS = 300;
const SILENCE_MS = 500;
/** More turns than these are never open: what it says of others, it makes up. */
const MAX_ITEMS = 100;
/** It says so, and closes with 3000, after it let us in. */
const KEY_CODES = ['invalid_api_key', 'missing_api_key', 'account_deactivated'];
const REFUSED_CODES = ['insufficient_quota', 'model_not_found', 'unsupported_country_region_territory'];

export const OPENAI_REALTIME: StreamService = {
  kind: 'stream',
  name: 'openai-realtime',
  title: 'OpenAI realtime',
  address: 'wss://api.openai.com/v1/realtime',
  addressForm: 'wss://host/v1/realtime',
  schemes: ['wss:', 'ws:'],
  needsKey: true,
  audio: { format: { encoding: 's16le', sampleRate: SAMPLE_RATE, channels: 1 }, pieceMs: 40 },
  request({ url: entered, apiKey }) {
    const url = new URL(entered);
    url.searchParams.set('intent', 'transcription');
    return { url, ...(apiKey !== '' && { headers: { authorization: `Bearer ${apiKey}` } }) };
  },
  converse: (options, talk) => new RealtimeConversation(options, talk),
};

function sessionOf({ model, language, prompt, commit }: ServiceOptions): object {
  const fallback = commit === 'speech' ? MODEL_WITHOUT_TURNS : MODEL_WITH_TURNS;
  const turns = { type: 'server_vad', prefix_padding_ms: PADDING_MS, silence_duration_ms: SILENCE_MS };
  return {
    type: 'transcription',
    audio: {
      input: {
        format: { type: 'audio/pcm', rate: SAMPLE_RATE },
        transcription: {
          model: model === '' ? fallback : model,
          ...(language !== '' && { language }),
          ...(prompt !== '' && { prompt }),
        },
        turn_detection: commit === 'speech' ? null : turns,
      },
    },
  };
}

/** A turn that is being said, or whose words are to come. */
interface Item {
  startMs?: number;
  endMs?: number;
  /** Its words so far. */
  text: string;
  isCommitted: boolean;
  /** So many of our commits wait for its words. */
  awaited: number;
}

class RealtimeConversation implements Conversation {
  private isReady = false;
  private isFinishing = false;
  private readonly items = new Map<string, Item>();
  /** Where our commits ended turns of which it has not told the name. */
  private readonly commits: number[] = [];
  /** Sound from here on belongs to no committed turn. */
  private freeMs = 0;

  constructor(
    private readonly options: ServiceOptions,
    private readonly talk: Talk,
  ) {}

  open(): void {
    this.talk.send({ type: 'session.update', session: sessionOf(this.options) });
  }

  sound(piece: Buffer): void {
    this.talk.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') });
  }

  commit(): void {
    if (!this.endTurn()) this.awaitLast();
  }

  finish(): void {
    this.isFinishing = true;
    this.endTurn();
    this.finishWhenDone();
  }

  answer(message: Fields): void {
    const type = textAt(message, 'type') ?? 'none';
    const id = textAt(message, 'item_id') ?? '';
    switch (type) {
      case 'session.updated':
        this.isReady = true;
        this.talk.ready();
        break;
      case 'input_audio_buffer.speech_started':
        this.began(id, numberAt(message, 'audio_start_ms'));
        break;
      case 'input_audio_buffer.speech_stopped':
        this.itemOf(id).endMs = Math.max(0, (numberAt(message, 'audio_end_ms') ?? NaN) - SILENCE_MS);
        break;
      case 'input_audio_buffer.committed':
        this.committed(id);
        break;
      case 'conversation.item.input_audio_transcription.delta':
        this.heard(id, textAt(message, 'delta') ?? '');
        break;
      case 'conversation.item.input_audio_transcription.completed':
        this.completed(id, textAt(message, 'transcript'), message);
        break;
      case 'conversation.item.input_audio_transcription.failed':
        this.failed(id, objectAt(message, 'error'));
        break;
      case 'error':
        this.error(objectAt(message, 'error'));
        break;
      default:
        // Of the conversation that it keeps there is more than words are made of.
        if (!/^(session|conversation|input_audio_buffer|rate_limits)\./.test(type)) {
          this.talk.nonsense(`a message of type ${type}`);
        }
    }
  }

  closeMeans(code: number): FailureKind | undefined {
    return code === 3000 ? 'key' : undefined;
  }

  private get hasTurns(): boolean {
    return this.options.commit === 'service';
  }

  /** Ends the turn that is being said; whether there is sound in it. */
  private endTurn(): boolean {
    const missingMs = LEAST_MS - (this.talk.sentMs - this.freeMs);
    if (missingMs === LEAST_MS || (missingMs > 0 && this.hasTurns)) return false;
    // Where it hears no turns, it counts no times that this would shift.
    if (missingMs > 0) this.sound(Buffer.alloc(Math.ceil((missingMs * SAMPLE_RATE) / 1000) * 2));
    this.commits.push(this.talk.sentMs);
    this.freeMs = this.talk.sentMs;
    this.talk.send({ type: 'input_audio_buffer.commit' });
    return true;
  }

  /** There was nothing to end: the last turn's words are what is waited for. */
  private awaitLast(): void {
    const last = [...this.items.values()].findLast(({ isCommitted }) => isCommitted);
    if (last) last.awaited++;
    else this.talk.committed();
    this.finishWhenDone();
  }

  private began(id: string, startMs: number | undefined): void {
    if (startMs === undefined) {
      this.talk.nonsense('speech that started at no time');
      return;
    }
    const isFirst = this.items.size === 0;
    this.itemOf(id).startMs = startMs === 0 ? 0 : startMs + PADDING_MS;
    if (isFirst) this.talk.settled(startMs);
  }

  private committed(id: string): void {
    const item = this.itemOf(id);
    if (item.isCommitted) return;
    item.isCommitted = true;
    let { startMs, endMs } = item;
    // What stopped by itself it committed by itself; a commit of ours may have crossed it.
    if (endMs === undefined || Number.isNaN(endMs)) {
      endMs = this.commits.shift() ?? this.talk.sentMs;
      item.awaited++;
    } else {
      this.freeMs = Math.max(this.freeMs, endMs);
    }
    startMs = startMs !== undefined && startMs < endMs ? startMs : undefined;
    this.talk.turn(id, { startMs, endMs });
  }

  private heard(id: string, delta: string): void {
    if (delta === '') return;
    const item = this.itemOf(id);
    item.text += delta;
    this.talk.interim({ text: item.text, startMs: item.startMs, endMs: item.endMs }, id);
  }

  private completed(id: string, transcript: string | undefined, message: Fields): void {
    const item = this.items.get(id);
    if (item?.isCommitted !== true || transcript === undefined) {
      this.talk.nonsense('words of a turn that it never committed');
      return;
    }
    const [language] = Array.isArray(message['languages']) ? (message['languages'] as unknown[]) : [];
    this.items.delete(id);
    this.talk.final({ text: transcript, language: typeof language === 'string' ? language : undefined }, id);
    for (let i = 0; i < item.awaited; i++) this.talk.committed();
    this.finishWhenDone();
  }

  /** One turn has no words: sent again it may, unless it is to blame itself. */
  private failed(id: string, error: Fields): void {
    if (textAt(error, 'code') === 'audio_unintelligible' && this.items.has(id)) {
      this.completed(id, '', {});
    } else {
      this.talk.fail(kindOf(error, 'failed'), textAt(error, 'message') ?? '');
    }
  }

  private error(error: Fields): void {
    const said = textAt(error, 'message') ?? '';
    if (textAt(error, 'code') === 'input_audio_buffer_commit_empty') {
      // It ended the turn itself, just before.
      if (this.commits.shift() !== undefined) this.awaitLast();
    } else if (/turn detection is not supported/i.test(said)) {
      this.talk.fail('refused', `${said} Set commit to speech, or choose another model`);
    } else {
      this.talk.fail(kindOf(error, this.isReady ? 'failed' : 'refused'), said);
    }
  }

  private finishWhenDone(): void {
    const isOpen = [...this.items.values()].some(({ isCommitted }) => isCommitted);
    if (this.isFinishing && !isOpen && this.commits.length === 0) this.talk.finished();
  }

  private itemOf(id: string): Item {
    let item = this.items.get(id);
    if (!item) this.items.set(id, (item = { text: '', isCommitted: false, awaited: 0 }));
    const [oldest] = this.items.keys();
    if (this.items.size > MAX_ITEMS && oldest !== undefined) this.items.delete(oldest);
    return item;
  }
}

function kindOf(error: Fields, otherwise: FailureKind): FailureKind {
  const code = textAt(error, 'code') ?? '';
  if (KEY_CODES.includes(code) || textAt(error, 'type') === 'authentication_error') return 'key';
  if (REFUSED_CODES.includes(code)) return 'refused';
  return /server_error|rate_limit|session_expired/.test(`${code} ${textAt(error, 'type') ?? ''}`)
    ? 'failed'
    : otherwise;
}
