/** Deepgram, as its documentation has it: `v1/listen`. */
import type { Clock } from '../../../src/audio/clock';
import type { SpokenWord } from './coded-words';
import { Recogniser, type Segment } from './recogniser';
import { WebSocketStandIn, type Caller, type StandInConversation } from './web-socket-stand-in';

export const DEEPGRAM_KEY = 'key-of-deepgram';
const SILENCE_LIMIT_MS = 10_000;
const ENCODINGS = ['linear16'];

export function startDeepgram(clock: Clock): Promise<WebSocketStandIn> {
  return WebSocketStandIn.start(
    {
      path: '/v1/listen',
      keyHeader: 'authorization',
      keyValue: `Token ${DEEPGRAM_KEY}`,
      sampleBytes: 2,
      silenceLimitMs: SILENCE_LIMIT_MS,
      silenceClose: [1011, 'NET-0001'],
      converse: (caller) => new Conversation(caller),
    },
    clock,
  );
}

class Conversation implements StandInConversation {
  private readonly recogniser: Recogniser;
  private isFinalizing = false;

  constructor(private readonly caller: Caller) {
    const { query } = caller;
    if (!ENCODINGS.includes(query.get('encoding') ?? '')) caller.violation('no encoding');
    if (query.get('channels') !== '1') caller.violation('channels other than 1');
    if (!query.get('model')) caller.violation('no model');
    const isInterim = query.get('interim_results') === 'true';
    this.recogniser = new Recogniser(
      Number(query.get('sample_rate')),
      {
        onWords: (words) => {
          if (isInterim) this.results({ words, startMs: 0, endMs: this.recogniser.heardMs }, false);
        },
        onSegment: (segment) => this.results(segment, true),
      },
      query.get('endpointing') !== 'false',
    );
  }

  sound(data: Buffer): void {
    this.recogniser.push(data);
  }

  message({ type }: Readonly<Record<string, unknown>>): void {
    switch (type) {
      case 'KeepAlive':
        break;
      case 'Finalize':
        this.isFinalizing = true;
        this.recogniser.end();
        this.isFinalizing = false;
        break;
      case 'CloseStream':
        this.caller.isEnding = true;
        this.recogniser.end();
        this.caller.send({ type: 'Metadata', duration: this.recogniser.heardMs / 1000, channels: 1 });
        this.caller.socket.close(1000);
        break;
      default:
        this.caller.violation(`a message of type ${String(type)}`);
    }
  }

  private results({ words, startMs, endMs }: Segment, isFinal: boolean): void {
    this.caller.send({
      type: 'Results',
      channel_index: [0, 1],
      start: startMs / 1000,
      duration: (endMs - startMs) / 1000,
      is_final: isFinal,
      speech_final: isFinal && !this.isFinalizing,
      from_finalize: this.isFinalizing,
      channel: {
        alternatives: [
          {
            transcript: words.map(({ text }) => text).join(' '),
            confidence: words.length > 0 ? 0.99 : 0,
            words: words.map(wordOf),
          },
        ],
      },
    });
  }
}

function wordOf({ text, startMs, endMs }: SpokenWord): object {
  return {
    ...{ word: text, punctuated_word: text, start: startMs / 1000, end: endMs / 1000 },
    confidence: 0.98,
  };
}
