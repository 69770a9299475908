/** Makes messages of what one stream's service heard: in order, each word once, at its place in the input. */
import type { AudioFrame } from '../audio/frame';
import type { Emission } from '../audio/transform';
import { msBetween } from '../audio/place';
import type { Heard } from './heard';
import type { InputPlace, Places } from './places';

/** Names of the outputs. */
export const TRANSCRIBE_OUTPUTS = ['words', 'interim', 'event'] as const;

const NO_DATA = Buffer.alloc(0);

/** What a message carries beside its text. Times are epoch ms of the capture clock. */
export interface Transcript {
  /** The same for the words that may still change, and those that stay. */
  readonly id: string;
  readonly final: boolean;
  readonly startTime: number;
  readonly endTime: number;
  readonly words?: readonly TranscriptWord[];
  readonly confidence?: number;
  readonly language?: string;
  readonly service: string;
  /** From the end of the speech to these words. */
  readonly latencyMs: number;
}

export interface TranscriptWord {
  readonly text: string;
  readonly startTime: number;
  readonly endTime: number;
  readonly confidence?: number;
}

/** Words with their place: indices in the log. */
export interface Located {
  readonly heard: Heard;
  readonly start: number;
  readonly end: number;
  readonly words: readonly LocatedWord[];
}

interface LocatedWord {
  readonly text: string;
  readonly confidence?: number | undefined;
  readonly start: number;
  readonly end: number;
}

/**
 * Gives what was heard its place in the log. Words that were told before are left out; undefined where none are left.
 * @param toldUntil index up to which final words have left, before what is heard here was sent again
 * @param span where the speech lies as far as else is known
 */
export function locate(
  heard: Heard,
  indexAt: (ms: number) => number,
  toldUntil: number,
  span: { readonly start: number; readonly end: number },
): Located | undefined {
  const text = heard.text.trim();
  if (text === '') return undefined;
  const isNew = ({ start, end }: { start: number; end: number }): boolean => (start + end) / 2 >= toldUntil;
  const all = (heard.words ?? []).map(({ startMs, endMs, ...word }) => ({
    ...word,
    start: indexAt(startMs),
    end: Math.max(indexAt(startMs), indexAt(endMs)),
  }));
  const words = all.filter(isNew);
  if (all.length > 0 && words.length === 0) return undefined;
  const start = words[0]?.start ?? (heard.startMs === undefined ? span.start : indexAt(heard.startMs));
  const end = words.at(-1)?.end ?? (heard.endMs === undefined ? span.end : indexAt(heard.endMs));
  const located = { start, end: Math.max(start, end), words };
  if (words.length === 0 && !isNew(located)) return undefined;
  const rest = words.length < all.length ? words.map((word) => word.text).join(' ') : text;
  return { ...located, heard: { ...heard, text: rest } };
}

/** Words on their way out of a node. */
export interface WordsEmission extends Emission {
  readonly properties: { readonly transcript: Transcript; readonly speech?: object };
}

export interface TranscriptOptions {
  readonly id: string;
  readonly final: boolean;
  readonly service: string;
  /** Epoch ms. */
  readonly now: number;
  /** Of the message that the sound came with, where it had one. */
  readonly speech?: object | undefined;
  /** The sound that the message is about; left out: that of the words. */
  readonly sound?: { readonly start: number; readonly end: number } | undefined;
}

/** The message of these words; undefined where their place is forgotten. */
export function wordsEmission(
  { heard, start, end, words }: Located,
  places: Places,
  { id, final, service, now, speech, sound }: TranscriptOptions,
): WordsEmission | undefined {
  const [from, to] = [places.startAt(start), places.endAt(end)];
  const [first, last] = sound ? [places.startAt(sound.start), places.endAt(sound.end)] : [from, to];
  if (!from || !to || !first || !last) return undefined;
  const transcript: Transcript = {
    id,
    final,
    startTime: from.time,
    endTime: Math.max(from.time, to.time),
    ...(words.length > 0 && { words: words.map((word) => timedWord(word, places)) }),
    ...(heard.confidence !== undefined && { confidence: heard.confidence }),
    ...(heard.language !== undefined && { language: heard.language }),
    service,
    latencyMs: Math.max(0, now - Math.max(from.time, to.time)),
  };
  return {
    output: final ? 'words' : 'interim',
    frame: frameOf(first, last),
    text: heard.text,
    properties: { transcript, ...(speech && { speech }) },
  };
}

function timedWord({ text, confidence, start, end }: LocatedWord, places: Places): TranscriptWord {
  const startTime = places.startAt(start)?.time ?? 0;
  const endTime = Math.max(startTime, places.endAt(end)?.time ?? startTime);
  return { text, startTime, endTime, ...(confidence !== undefined && { confidence }) };
}

/** A place without sound, which lasts as long as the words. */
function frameOf({ format, position, time }: InputPlace, to: InputPlace): AudioFrame {
  const lastsMs = msBetween(
    { position, sampleRate: format.sampleRate },
    { position: to.position, sampleRate: to.format.sampleRate },
  );
  const samples = Math.max(0, Math.round((lastsMs * format.sampleRate) / 1000));
  return { format, data: NO_DATA, samples, position, time, gap: 0, latencyMs: 0 };
}
