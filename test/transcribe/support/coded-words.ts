/** Sound in which each word is a level of its own, and an ear that reads it: words that no recogniser can mishear. */
import { samplesInMs } from '../../../src/audio/format';

export const VOCABULARY = (
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand'
).split(' ');

/** Of the first word; each next one is louder by as much. */
const LEVEL = 500;
const SILENCE = LEVEL / 2;
/** What a filter makes of an edge is shorter. */
const SHORTEST_MS = 20;

export interface SpokenWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** `count` words, one after the other: each lasts 200 ms, and 100 ms of silence follow. */
export function wordsInARow(count: number, startMs = 0): SpokenWord[] {
  return Array.from({ length: count }, (_, i) => ({
    text: VOCABULARY[i % VOCABULARY.length]!,
    startMs: startMs + i * 300,
    endMs: startMs + i * 300 + 200,
  }));
}

/** s16 mono of `lastsMs` in which these words are said. */
export function speech(sampleRate: number, words: readonly SpokenWord[], lastsMs: number): Buffer {
  const samples = new Int16Array(samplesInMs(sampleRate, lastsMs));
  for (const { text, startMs, endMs } of words) {
    const level = (VOCABULARY.indexOf(text) + 1) * LEVEL;
    samples.fill(level, samplesInMs(sampleRate, startMs), samplesInMs(sampleRate, endMs));
  }
  return Buffer.from(samples.buffer);
}

/** Reads words from s16 mono, with their times since its first sample. */
export class Ear {
  /** Samples heard. */
  samples = 0;
  private startedAt: number | undefined;
  private readonly levels = new Map<number, number>();

  constructor(private readonly sampleRate: number) {}

  get heardMs(): number {
    return (this.samples * 1000) / this.sampleRate;
  }

  /** Whether a word is being said. */
  get isInWord(): boolean {
    return this.startedAt !== undefined;
  }

  /** Takes the next sound; the words that ended in it. */
  push(data: Buffer): SpokenWord[] {
    const words: SpokenWord[] = [];
    for (let at = 0; at + 1 < data.length; at += 2) {
      const value = data.readInt16LE(at);
      if (Math.abs(value) > SILENCE) this.loud(value);
      else words.push(...this.flush());
      this.samples++;
    }
    return words;
  }

  /** The word that is being said, as if it ended here. */
  flush(): SpokenWord[] {
    const { startedAt } = this;
    if (startedAt === undefined) return [];
    this.startedAt = undefined;
    const [best] = [...this.levels].sort(([, a], [, b]) => b - a);
    this.levels.clear();
    const msAt = (sample: number): number => (sample * 1000) / this.sampleRate;
    const word = { startMs: msAt(startedAt), endMs: msAt(this.samples) };
    if (word.endMs - word.startMs < SHORTEST_MS) return [];
    return [{ text: VOCABULARY[(best?.[0] ?? 0) - 1] ?? '?', ...word }];
  }

  private loud(value: number): void {
    this.startedAt ??= this.samples;
    const level = Math.round(value / LEVEL);
    this.levels.set(level, (this.levels.get(level) ?? 0) + 1);
  }
}
