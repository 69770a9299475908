/** OpenAI's transcriptions over HTTP (https://platform.openai.com/docs/api-reference/audio/createTranscription), and all that is compatible. */
import { Blob } from 'node:buffer';
import { FormData } from 'undici';
import { wavHeader } from '../../containers/wav-header';
import { saidBy } from '../failure';
import { objectsAt, secondsAt, textAt, type Fields } from '../fields';
import { heardWord, type Heard, type HeardWord } from '../heard';
import { postForm, type HttpAnswer } from '../http';
import type { ServiceOptions, Transcriber, UtteranceService, Way } from '../service';

/** The one of OpenAI's models that tells when each word was said. */
const DEFAULT_MODEL = 'whisper-1';
const FORMAT = { encoding: 's16le', sampleRate: 16_000, channels: 1 } as const;
const SAMPLE_BYTES = 2;
/** What a model says that has no word times. */
const NO_DETAILS = /response_format|verbose_json|timestamp_granularities/i;

export const OPENAI: UtteranceService = {
  kind: 'utterance',
  name: 'openai',
  title: 'OpenAI, and all that is compatible',
  address: 'https://api.openai.com/v1',
  addressForm: 'https://host/v1',
  schemes: ['https:', 'http:'],
  needsKey: true,
  format: FORMAT,
  minMs: 100,
  create: (options) => new OpenAiTranscriber(options),
};

class OpenAiTranscriber implements Transcriber {
  private readonly url: URL;
  /** Word times are asked for until the model refuses. */
  private hasDetails = true;

  constructor(private readonly options: ServiceOptions) {
    this.url = new URL(options.url);
    this.url.pathname = `${options.url.pathname.replace(/\/+$/, '')}/audio/transcriptions`;
  }

  async transcribe(sound: Buffer, way: Way): Promise<Heard> {
    const wav = Buffer.concat([wavHeader(FORMAT, sound.length / SAMPLE_BYTES), sound]);
    let answer = await this.ask(wav, way);
    if (!answer.isOk && answer.status === 400 && this.hasDetails && NO_DETAILS.test(answer.said)) {
      this.hasDetails = false;
      answer = await this.ask(wav, way);
    }
    if (!answer.isOk) throw answer.failure;
    return this.read(answer.fields);
  }

  private ask(wav: Buffer, way: Way): Promise<HttpAnswer> {
    const { apiKey, model, language, prompt } = this.options;
    const form = new FormData();
    form.set('file', new Blob([wav], { type: 'audio/wav' }), 'utterance.wav');
    form.set('model', model === '' ? DEFAULT_MODEL : model);
    if (language !== '') form.set('language', language);
    if (prompt !== '') form.set('prompt', prompt);
    form.set('response_format', this.hasDetails ? 'verbose_json' : 'json');
    if (this.hasDetails) form.set('timestamp_granularities[]', 'word');
    return postForm({ url: this.url, apiKey }, form, way);
  }

  private read(fields: Fields): Heard {
    const text = textAt(fields, 'text');
    if (text === undefined) {
      const { apiKey } = this.options;
      throw saidBy({ url: this.url, apiKey }, 'nonsense', 'an answer without text');
    }
    const inSegments = objectsAt(fields, 'segments').flatMap((segment) => objectsAt(segment, 'words'));
    const words = [...objectsAt(fields, 'words'), ...inSegments].map(wordOf);
    return {
      text: text.trim(),
      language: textAt(fields, 'language'),
      words: words.filter((word) => word !== undefined),
    };
  }
}

function wordOf(word: Fields): HeardWord | undefined {
  return heardWord(textAt(word, 'word')?.trim(), secondsAt(word, 'start'), secondsAt(word, 'end'));
}
