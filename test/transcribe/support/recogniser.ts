/** What a recogniser does with a stream, by the ear for coded words: words that may change, then segments that stay. */
import { Ear, type SpokenWord } from './coded-words';

/** Words from one pause to the next; times since the first sample. */
export interface Segment {
  readonly words: readonly SpokenWord[];
  readonly startMs: number;
  readonly endMs: number;
}

export interface RecogniserSink {
  /** A word more was said: all of the segment so far. */
  onWords(words: readonly SpokenWord[]): void;
  /** A pause, or an end that was asked for. Without words where nothing was said for a while. */
  onSegment(segment: Segment): void;
}

/** A pause as long as this ends a segment. */
const PAUSE_MS = 600;
/** Silence is told of each time it has lasted so long. */
const SILENCE_MS = 3000;

export class Recogniser {
  private readonly ear: Ear;
  private words: SpokenWord[] = [];
  private startMs = 0;

  /** @param ends whether pauses end segments; else only {@link end} does */
  constructor(
    sampleRate: number,
    private readonly sink: RecogniserSink,
    private readonly ends = true,
  ) {
    this.ear = new Ear(sampleRate);
  }

  get heardMs(): number {
    return this.ear.heardMs;
  }

  /** Takes s16 mono. */
  push(data: Buffer): void {
    const more = this.ear.push(data);
    this.words.push(...more);
    if (more.length > 0) this.sink.onWords(this.words);
    if (!this.ends || this.ear.isInWord) return;
    const silentMs = this.heardMs - (this.words.at(-1)?.endMs ?? this.startMs);
    if (silentMs >= (this.words.length > 0 ? PAUSE_MS : SILENCE_MS)) this.segment();
  }

  /** Ends the segment here; whether there was sound in it. */
  end(): boolean {
    this.words.push(...this.ear.flush());
    if (this.heardMs === this.startMs) return false;
    this.segment();
    return true;
  }

  private segment(): void {
    const segment = { words: this.words, startMs: this.startMs, endMs: this.heardMs };
    this.words = [];
    this.startMs = segment.endMs;
    this.sink.onSegment(segment);
  }
}
