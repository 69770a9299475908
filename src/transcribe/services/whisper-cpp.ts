/** The server of whisper.cpp (https://github.com/ggml-org/whisper.cpp/tree/master/examples/server): its model is chosen where it is started. */
import { Blob } from 'node:buffer';
import { FormData } from 'undici';
import { wavHeader } from '../../containers/wav-header';
import { saidBy } from '../failure';
import { numberAt, objectsAt, secondsAt, textAt, type Fields } from '../fields';
import type { Heard, HeardWord } from '../heard';
import { postForm } from '../http';
import type { ServiceOptions, Transcriber, UtteranceService, Way } from '../service';

const FORMAT = { encoding: 's16le', sampleRate: 16_000, channels: 1 } as const;
const SAMPLE_BYTES = 2;
/** Its text for sound in which nobody speaks. */
const BLANK = '[BLANK_AUDIO]';
/** A token that is no part of a word, such as `[_BEG_]`. */
const SPECIAL = /^\[_\w+\]$/;

export const WHISPER_CPP: UtteranceService = {
  kind: 'utterance',
  name: 'whisper-cpp',
  title: 'whisper.cpp, a server of your own',
  addressForm: 'http://host:8080',
  schemes: ['http:', 'https:'],
  needsKey: false,
  format: FORMAT,
  create: (options) => new WhisperTranscriber(options),
};

class WhisperTranscriber implements Transcriber {
  private readonly url: URL;

  constructor(private readonly options: ServiceOptions) {
    this.url = new URL(options.url);
    const path = options.url.pathname.replace(/\/+$/, '');
    this.url.pathname = path.endsWith('/inference') ? path : `${path}/inference`;
  }

  async transcribe(sound: Buffer, way: Way): Promise<Heard> {
    const { apiKey, language, prompt } = this.options;
    const named = { url: this.url, apiKey };
    const form = new FormData();
    const wav = Buffer.concat([wavHeader(FORMAT, sound.length / SAMPLE_BYTES), sound]);
    form.set('file', new Blob([wav], { type: 'audio/wav' }), 'utterance.wav');
    form.set('response_format', 'verbose_json');
    if (language !== '') form.set('language', language);
    if (prompt !== '') form.set('prompt', prompt);
    const answer = await postForm(named, form, way);
    if (!answer.isOk) throw answer.failure;
    const refusal = textAt(answer.fields, 'error');
    if (refusal !== undefined) throw saidBy(named, 'refused', refusal);
    const text = textAt(answer.fields, 'text');
    if (text === undefined) throw saidBy(named, 'nonsense', 'an answer without text');
    return heardOf(text, answer.fields);
  }
}

function heardOf(text: string, fields: Fields): Heard {
  const spoken = text.replaceAll(/\s+/g, ' ').trim();
  if (spoken === BLANK) return { text: '' };
  const tokens = objectsAt(fields, 'segments').flatMap((segment) => objectsAt(segment, 'words'));
  return { text: spoken, words: wordsOf(tokens), language: textAt(fields, 'language') };
}

/** Its "words" are tokens: a word begins with a space, and goes on without one. */
function wordsOf(tokens: readonly Fields[]): HeardWord[] {
  const words: { parts: HeardWord[] }[] = [];
  for (const token of tokens) {
    const text = textAt(token, 'word');
    const [startMs, endMs] = [secondsAt(token, 'start'), secondsAt(token, 'end')];
    if (text === undefined || startMs === undefined || endMs === undefined || SPECIAL.test(text)) continue;
    const part = { text, startMs, endMs, confidence: numberAt(token, 'probability') };
    const last = words.at(-1);
    if (last && !/^\s/.test(text)) last.parts.push(part);
    else words.push({ parts: [part] });
  }
  return words.flatMap(({ parts }) => joined(parts) ?? []);
}

/** A word is as likely as its least likely part. */
function joined(parts: readonly HeardWord[]): HeardWord | undefined {
  const [first, last] = [parts[0], parts.at(-1)];
  const text = parts
    .map((part) => part.text)
    .join('')
    .trim();
  if (!first || !last || text === '') return undefined;
  const known = parts.map(({ confidence }) => confidence).filter((value) => value !== undefined);
  const confidence = known.length === parts.length ? Math.min(...known) : undefined;
  return { text, startMs: first.startMs, endMs: last.endMs, confidence };
}
