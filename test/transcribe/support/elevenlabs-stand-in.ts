/** ElevenLabs' Scribe in real time, as its documentation and its SDK have it. */
import type { Clock } from '../../../src/audio/clock';
import { textAt, type Fields } from '../../../src/transcribe/fields';
import type { SpokenWord } from './coded-words';
import { Recogniser } from './recogniser';
import { WebSocketStandIn, type Caller, type StandInConversation } from './web-socket-stand-in';

export const ELEVENLABS_KEY = 'key-of-elevenlabs';
/** Less sound since the last commit is refused one. */
const LEAST_BYTES = 0.3 * 16_000 * 2;

export function startElevenlabs(clock: Clock): Promise<WebSocketStandIn> {
  return WebSocketStandIn.start(
    {
      path: '/v1/speech-to-text/realtime',
      keyHeader: 'xi-api-key',
      keyValue: ELEVENLABS_KEY,
      opensWithWrongKey: true,
      converse: (caller) => new Conversation(caller),
    },
    clock,
  );
}

class Conversation implements StandInConversation {
  private readonly recogniser: Recogniser;
  private uncommitted = 0;
  private isCommitting = false;
  private hasSound = false;

  constructor(private readonly caller: Caller) {
    const { query } = caller;
    if (query.get('audio_format') !== 'pcm_16000') caller.violation('another audio format');
    this.recogniser = new Recogniser(
      16_000,
      {
        onWords: (words) => caller.send({ message_type: 'partial_transcript', text: textOf(words) }),
        onSegment: ({ words }) => {
          if (words.length > 0 || this.isCommitting) this.committed(words);
        },
      },
      query.get('commit_strategy') === 'vad',
    );
  }

  opened(): void {
    const { caller } = this;
    if (!caller.hasKey) {
      const key = String(caller.request.headers['xi-api-key']);
      this.refuse('auth_error', `You must be authenticated: ${key}`);
    } else if (caller.query.get('model_id') !== 'scribe_v2_realtime')
      this.refuse('invalid_request', 'No such model');
    else caller.send({ message_type: 'session_started', session_id: 'session', config: {} });
  }

  message(message: Fields): void {
    const { caller } = this;
    const data = Buffer.from(textAt(message, 'audio_base_64') ?? '', 'base64');
    if (message['message_type'] !== 'input_audio_chunk') caller.violation('another message');
    if (message['sample_rate'] !== 16_000) caller.violation('another sample rate');
    if (data.length % 2 > 0 || (data.length === 0 && message['commit'] !== true))
      caller.violation('no samples');
    if ('previous_text' in message && this.hasSound) caller.violation('previous_text after the first chunk');
    this.hasSound = true;
    this.uncommitted += data.length;
    this.recogniser.push(data);
    if (message['commit'] === true) this.commit();
  }

  private commit(): void {
    if (this.uncommitted < LEAST_BYTES) {
      this.caller.send({ message_type: 'commit_throttled', error: 'Less than 0.3 s of uncommitted audio.' });
      return;
    }
    this.isCommitting = true;
    this.recogniser.end();
    this.isCommitting = false;
  }

  private committed(words: readonly SpokenWord[]): void {
    this.uncommitted = 0;
    const text = textOf(words);
    this.caller.send({ message_type: 'committed_transcript', text });
    if (this.caller.query.get('include_timestamps') !== 'true') return;
    this.caller.send({
      ...{ message_type: 'committed_transcript_with_timestamps', text, language_code: 'en' },
      words: words.flatMap((word, i) => [
        ...(i > 0
          ? [{ text: ' ', type: 'spacing', start: words[i - 1]!.endMs / 1000, end: word.startMs / 1000 }]
          : []),
        { text: word.text, type: 'word', start: word.startMs / 1000, end: word.endMs / 1000 },
      ]),
    });
  }

  private refuse(message_type: string, error: string): void {
    this.caller.send({ message_type, error });
    this.caller.socket.close(1008);
  }
}

function textOf(words: readonly SpokenWord[]): string {
  return words.map(({ text }) => text).join(' ');
}
