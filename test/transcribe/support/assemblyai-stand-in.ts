/** AssemblyAI's streaming, third generation, as its documentation has it. */
import type { Clock } from '../../../src/audio/clock';
import type { SpokenWord } from './coded-words';
import { Recogniser } from './recogniser';
import { WebSocketStandIn, type Caller, type StandInConversation } from './web-socket-stand-in';

export const ASSEMBLYAI_KEY = 'key-of-assemblyai';
const BYTES_A_MS = 32;
/** Sound may be ahead of the clock by so much. */
const MAX_AHEAD_MS = 1000;
const MODELS = ['universal-streaming-english', 'universal-streaming-multilingual'];

export function startAssemblyai(clock: Clock): Promise<WebSocketStandIn> {
  return WebSocketStandIn.start(
    {
      path: '/v3/ws',
      keyHeader: 'authorization',
      keyValue: ASSEMBLYAI_KEY,
      opensWithWrongKey: true,
      sampleBytes: 2,
      converse: (caller) => new Conversation(caller, clock),
    },
    clock,
  );
}

class Conversation implements StandInConversation {
  private readonly recogniser: Recogniser;
  private readonly startedAt: number;
  private order = 0;

  constructor(
    private readonly caller: Caller,
    private readonly clock: Clock,
  ) {
    this.startedAt = clock.now();
    const { query } = caller;
    if (query.get('sample_rate') !== '16000') caller.violation('another sample rate');
    this.recogniser = new Recogniser(
      16_000,
      {
        onWords: (words) => this.turn(words, false, false),
        onSegment: ({ words }) => {
          if (words.length === 0) return;
          this.turn(words, true, false);
          if (query.get('format_turns') === 'true') this.turn(words, true, true);
          this.order++;
        },
      },
      query.get('end_of_turn_confidence_threshold') !== '1',
    );
  }

  opened(): void {
    const model = this.caller.query.get('speech_model') ?? '';
    if (!this.caller.hasKey) {
      this.refuse(
        1008,
        `Unauthorized Connection: invalid key ${this.caller.request.headers.authorization ?? ''}`,
      );
    } else if (!MODELS.includes(model)) this.refuse(3006, `Invalid speech_model: ${model}`);
    else this.caller.send({ type: 'Begin', id: 'session', expires_at: 0 });
  }

  sound(data: Buffer): void {
    const ms = data.length / BYTES_A_MS;
    if (ms < 50 || ms > 1000) {
      this.caller.violation(`${ms} ms of sound in a piece`);
      this.refuse(3007, `Input Duration Error: ${ms} ms`);
    }
    this.recogniser.push(data);
    if (this.recogniser.heardMs > this.clock.now() - this.startedAt + MAX_AHEAD_MS) {
      this.caller.violation(`sound faster than real time`);
      this.refuse(3007, 'Audio Transmission Rate Exceeded');
    }
  }

  message({ type }: Readonly<Record<string, unknown>>): void {
    switch (type) {
      case 'ForceEndpoint':
        this.recogniser.end();
        break;
      case 'Terminate':
        this.caller.isEnding = true;
        this.recogniser.end();
        this.caller.send({ type: 'Termination', audio_duration_seconds: 1, session_duration_seconds: 1 });
        this.caller.socket.close(1000);
        break;
      case undefined:
      default:
        this.caller.violation(`a message of type ${String(type)}`);
    }
  }

  private turn(words: readonly SpokenWord[], end_of_turn: boolean, turn_is_formatted: boolean): void {
    this.caller.send({
      ...{ type: 'Turn', turn_order: this.order, turn_is_formatted, end_of_turn },
      transcript: (end_of_turn ? words : words.slice(0, -1)).map(({ text }) => text).join(' '),
      end_of_turn_confidence: end_of_turn ? 0.9 : 0.1,
      words: words.map(({ text, startMs, endMs }, i) => ({
        ...{ text, start: Math.round(startMs), end: Math.round(endMs), confidence: 0.96 },
        word_is_final: end_of_turn || i < words.length - 1,
      })),
    });
  }

  private refuse(error_code: number, error: string): void {
    this.caller.send({ type: 'Error', error_code, error });
    this.caller.socket.close(error_code, error.slice(0, 120));
  }
}
