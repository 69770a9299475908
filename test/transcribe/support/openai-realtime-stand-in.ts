/** OpenAI's realtime transcription, as its documentation has it. */
import type { Clock } from '../../../src/audio/clock';
import { objectAt, textAt, type Fields } from '../../../src/transcribe/fields';
import { Recogniser, type Segment } from './recogniser';
import { WebSocketStandIn, type Caller, type StandInConversation } from './web-socket-stand-in';

export const OPENAI_REALTIME_KEY = 'key-of-openai';
const SAMPLE_RATE = 24_000;
const LEAST_BYTES = (SAMPLE_RATE / 10) * 2;
const MODELS_WITH_TURNS = ['gpt-4o-transcribe', 'whisper-1'];
const MODELS = [...MODELS_WITH_TURNS, 'gpt-live-transcribe', 'gpt-realtime-whisper'];

/** @param order answers to turns leave in the order that this makes of them */
export function startOpenaiRealtime(clock: Clock, order?: 'reversed'): Promise<WebSocketStandIn> {
  return WebSocketStandIn.start(
    {
      path: '/v1/realtime',
      keyHeader: 'authorization',
      keyValue: `Bearer ${OPENAI_REALTIME_KEY}`,
      opensWithWrongKey: true,
      converse: (caller) => new Conversation(caller, order === 'reversed'),
    },
    clock,
  );
}

class Conversation implements StandInConversation {
  private recogniser: Recogniser | undefined;
  private silenceMs = 0;
  private bufferedBytes = 0;
  private count = 0;
  private isSpeaking = false;
  /** The client ends the turn. */
  private isForced = false;
  private readonly held: object[] = [];

  constructor(
    private readonly caller: Caller,
    private readonly isReversed: boolean,
  ) {
    const { query } = caller;
    if (query.get('intent') !== 'transcription' || query.has('model')) caller.violation(query.toString());
  }

  opened(): void {
    if (this.caller.hasKey) {
      this.caller.send({ type: 'session.created', session: { type: 'transcription' } });
      return;
    }
    const key = this.caller.request.headers.authorization ?? '';
    this.error('invalid_api_key', `Incorrect API key provided: ${key}.`);
    this.caller.socket.close(3000, 'invalid_request_error.invalid_api_key');
  }

  message(message: Fields): void {
    switch (message['type']) {
      case 'session.update':
        this.update(objectAt(objectAt(objectAt(message, 'session'), 'audio'), 'input'));
        break;
      case 'input_audio_buffer.append':
        this.append(Buffer.from(textAt(message, 'audio') ?? '', 'base64'));
        break;
      case 'input_audio_buffer.commit':
        if (this.bufferedBytes < LEAST_BYTES) {
          this.error('input_audio_buffer_commit_empty', 'Error committing input audio buffer: too small.');
          break;
        }
        this.isForced = true;
        this.recogniser?.end();
        this.isForced = false;
        break;
      default:
        this.caller.violation(`a message of type ${String(message['type'])}`);
    }
  }

  private update(input: Fields): void {
    const model = textAt(objectAt(input, 'transcription'), 'model') ?? '';
    const hasTurns = input['turn_detection'] !== null;
    const { type, rate } = objectAt(input, 'format');
    if (type !== 'audio/pcm' || rate !== SAMPLE_RATE) this.caller.violation('no PCM of 24 kHz');
    if (!MODELS.includes(model)) {
      this.error('model_not_found', `The model '${model}' does not exist.`);
      return;
    }
    if (hasTurns && !MODELS_WITH_TURNS.includes(model)) {
      this.error('invalid_value', 'Turn detection is not supported for this transcription model.');
      return;
    }
    this.silenceMs = Number(objectAt(input, 'turn_detection')['silence_duration_ms'] ?? 0);
    const isLive = !MODELS_WITH_TURNS.includes(model);
    this.recogniser = new Recogniser(
      SAMPLE_RATE,
      {
        onWords: (words) => {
          if (hasTurns) this.speak(words[0]?.startMs ?? 0);
          if (isLive) this.delta(words.at(-1)?.text ?? '');
        },
        onSegment: (segment) => this.commit(segment, hasTurns, isLive),
      },
      hasTurns,
    );
    this.caller.send({ type: 'session.updated', session: {} });
  }

  private append(data: Buffer): void {
    if (data.length === 0 || data.length % 2 > 0) this.caller.violation(`${data.length} bytes of sound`);
    if (!this.recogniser) this.caller.violation('sound before the session was updated');
    this.bufferedBytes += data.length;
    this.recogniser?.push(data);
  }

  private speak(startMs: number): void {
    if (this.isSpeaking) return;
    this.isSpeaking = true;
    const audio_start_ms = Math.max(0, Math.round(startMs - 300));
    this.caller.send({ type: 'input_audio_buffer.speech_started', audio_start_ms, item_id: this.item });
  }

  private commit({ words, endMs }: Segment, hasTurns: boolean, isLive: boolean): void {
    const last = words.at(-1);
    // Silence is no turn, unless the client ends one.
    if (!last && !this.isForced) return;
    const item_id = this.item;
    if (hasTurns && last && endMs - last.endMs >= this.silenceMs) {
      const audio_end_ms = Math.round(last.endMs + this.silenceMs);
      this.caller.send({ type: 'input_audio_buffer.speech_stopped', audio_end_ms, item_id });
    }
    this.caller.send({ type: 'input_audio_buffer.committed', item_id, previous_item_id: null });
    this.caller.send({ type: 'conversation.item.added', item: { id: item_id } });
    if (!isLive) for (const { text } of words) this.delta(text);
    this.isSpeaking = false;
    this.bufferedBytes = 0;
    this.count++;
    const transcript = words.map(({ text }) => text).join(' ');
    this.complete({ type: `${TRANSCRIPTION}.completed`, item_id, content_index: 0, transcript });
  }

  private complete(answer: object): void {
    this.held.push(answer);
    if (this.isReversed && this.held.length < 2) return;
    for (const held of this.held.splice(0).reverse()) this.caller.send(held);
  }

  private delta(text: string): void {
    this.caller.send({
      type: `${TRANSCRIPTION}.delta`,
      item_id: this.item,
      content_index: 0,
      delta: `${text} `,
    });
  }

  private error(code: string, message: string): void {
    this.caller.send({ type: 'error', error: { type: 'invalid_request_error', code, message } });
  }

  private get item(): string {
    return `item_${this.count}`;
  }
}

const TRANSCRIPTION = 'conversation.item.input_audio_transcription';
