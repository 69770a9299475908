/** Deepgram Flux, as its documentation has it: `v2/listen`. */
import type { Clock } from '../../../src/audio/clock';
import type { SpokenWord } from './coded-words';
import { DEEPGRAM_KEY } from './deepgram-stand-in';
import { Recogniser, type Segment } from './recogniser';
import { WebSocketStandIn, type Caller, type StandInConversation } from './web-socket-stand-in';

const SILENCE_LIMIT_MS = 10_000;
const MODELS = ['flux-general-en', 'flux-general-multi'];

export interface FluxOptions {
  /** As deployments that tell no times of words. */
  readonly hasNoTimes?: boolean;
}

export function startDeepgramFlux(
  clock: Clock,
  { hasNoTimes = false }: FluxOptions = {},
): Promise<WebSocketStandIn> {
  return WebSocketStandIn.start(
    {
      path: '/v2/listen',
      keyHeader: 'authorization',
      keyValue: `Token ${DEEPGRAM_KEY}`,
      sampleBytes: 2,
      silenceLimitMs: SILENCE_LIMIT_MS,
      silenceClose: [1011, 'NET-0001'],
      converse: (caller) => new Conversation(caller, !hasNoTimes),
    },
    clock,
  );
}

class Conversation implements StandInConversation {
  private readonly recogniser: Recogniser;
  private index = 0;
  private startMs = 0;
  private words: readonly SpokenWord[] = [];

  constructor(
    private readonly caller: Caller,
    private readonly hasTimes: boolean,
  ) {
    const { query } = caller;
    if (query.get('encoding') !== 'linear16' || query.get('sample_rate') !== '16000')
      caller.violation('no s16le');
    this.recogniser = new Recogniser(
      16_000,
      {
        onWords: (words) => {
          this.info(words.length === 1 ? 'StartOfTurn' : 'Update', words, this.recogniser.heardMs);
        },
        onSegment: (segment) => this.segment(segment),
      },
      query.get('eot_threshold') !== '1.0',
    );
  }

  opened(): void {
    if (MODELS.includes(this.caller.query.get('model') ?? '')) {
      this.caller.send({ type: 'Connected', request_id: 'request', sequence_id: 0 });
      return;
    }
    this.caller.send({ type: 'Error', code: 'INVALID_MODEL', description: 'No such model.' });
    this.caller.socket.close(1008);
  }

  sound(data: Buffer): void {
    this.recogniser.push(data);
  }

  message({ type }: Readonly<Record<string, unknown>>): void {
    switch (type) {
      case 'ForceEndTurn':
        if (this.words.length > 0) this.recogniser.end();
        break;
      case 'CloseStream':
        this.caller.isEnding = true;
        if (this.words.length > 0) this.info('Update', this.words, this.recogniser.heardMs);
        // It gives no code.
        this.caller.socket.close();
        break;
      case undefined:
      default:
        this.caller.violation(`a message of type ${String(type)}`);
    }
  }

  private segment({ words, endMs }: Segment): void {
    if (words.length === 0) {
      this.info('Update', [], endMs);
      return;
    }
    this.info('EndOfTurn', words, endMs);
    this.words = [];
    this.startMs = endMs;
    this.index++;
  }

  private info(event: string, words: readonly SpokenWord[], endMs: number): void {
    this.words = words;
    this.caller.send({
      ...{ type: 'TurnInfo', event, turn_index: this.index },
      ...{ audio_window_start: this.startMs / 1000, audio_window_end: endMs / 1000 },
      transcript: words.map(({ text }) => text).join(' '),
      words: words.map((word) => ({
        ...{ word: word.text, confidence: 0.95 },
        ...(this.hasTimes && { start: word.startMs / 1000, end: word.endMs / 1000 }),
      })),
      end_of_turn_confidence: event === 'EndOfTurn' ? 0.9 : 0.1,
    });
  }
}
