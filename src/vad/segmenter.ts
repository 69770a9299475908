/** Turns probabilities, one a window, into stretches of speech: hysteresis, minimum, hangover, maximum length. */
import { SILERO_SAMPLE_RATE, SILERO_WINDOW } from './silero';
import type { SpeechSettings, UtteranceEndReason } from './speech';

const WINDOW_MS = (SILERO_WINDOW * 1000) / SILERO_SAMPLE_RATE;

/** How far the probability must fall below the threshold before speech is over, as Silero's authors set it. */
const HYSTERESIS = 0.15;
/** The lowest level at which speech can be over, so that it can be over at any threshold. */
const LOWEST_EXIT = 0.01;
/** A beginning may pause for this long before its minimum length is counted anew: a stop consonant's closure. */
const LONGEST_DIP_MS = 96;
/** A cut is looked for in this much of the end of a too long part, but in no more than half of it. */
const CUT_SEARCH_MS = 5000;

export type SegmenterSettings = Pick<
  SpeechSettings,
  'threshold' | 'minSpeechMs' | 'hangoverMs' | 'maxUtteranceMs'
>;

/** A stretch of speech in samples at {@link SILERO_SAMPLE_RATE} since the segmenter began. */
export interface SpeechSpan {
  readonly start: number;
  readonly end: number;
  /** Mean over its windows. */
  readonly probability: number;
  /** Which part of the utterance this is: 0, 1, 2 … */
  readonly part: number;
}

export type SegmenterEvent =
  /** Speech was found, and is long enough to count. */
  | { readonly kind: 'opened'; readonly span: SpeechSpan }
  /** The utterance got too long: a part of it ends, and the next one begins at the same sample. */
  | { readonly kind: 'cut'; readonly span: SpeechSpan }
  /** The utterance is over. */
  | { readonly kind: 'closed'; readonly span: SpeechSpan; readonly reason: UtteranceEndReason };

type State =
  | { readonly kind: 'idle' }
  /** Speech that is still too short to count. `speech`: its windows without the dips. */
  | { readonly kind: 'rising'; readonly part: Part; speech: number }
  | { readonly kind: 'open'; readonly part: Part };

/** A part of an utterance as it grows. Indices count windows since the segmenter began. */
interface Part {
  readonly index: number;
  /** The first window: for a later part the one with the cut in its middle. */
  readonly first: number;
  /** In samples. */
  readonly start: number;
  /** After the last window with speech. */
  speechEnd: number;
  readonly probabilities: number[];
  readonly energies: number[];
}

export class Segmenter {
  private state: State = { kind: 'idle' };
  private windows = 0;
  private readonly exit: number;
  private readonly minSpeech: number;
  private readonly hangover: number;
  private readonly longestDip = LONGEST_DIP_MS / WINDOW_MS;
  private readonly maxPart: number;
  private readonly cutSearch: number;

  constructor(private readonly settings: SegmenterSettings) {
    const { threshold, minSpeechMs, hangoverMs, maxUtteranceMs } = settings;
    this.exit = Math.max(threshold - HYSTERESIS, Math.min(threshold, LOWEST_EXIT));
    this.minSpeech = Math.max(1, Math.ceil(minSpeechMs / WINDOW_MS));
    this.hangover = Math.max(1, Math.ceil(hangoverMs / WINDOW_MS));
    this.maxPart = Math.max(2, Math.floor(maxUtteranceMs / WINDOW_MS));
    this.cutSearch = Math.floor(Math.min(CUT_SEARCH_MS / WINDOW_MS, this.maxPart / 2));
  }

  /** Speech that counts and is not over, as far as it was heard. */
  get open(): SpeechSpan | undefined {
    return this.state.kind === 'open' ? spanOf(this.state.part) : undefined;
  }

  /** The first sample that an utterance still to come, or to end, may hold. */
  get earliest(): number {
    return this.state.kind === 'idle' ? this.windows * SILERO_WINDOW : this.state.part.start;
  }

  /**
   * Takes the next window.
   * @param probability that it holds speech
   * @param energy any measure of its loudness, to find the quietest place by
   */
  push(probability: number, energy: number): SegmenterEvent[] {
    const index = this.windows++;
    const { state } = this;
    switch (state.kind) {
      case 'idle':
        if (probability < this.settings.threshold) return [];
        this.state = { kind: 'rising', part: newPart(0, index, index * SILERO_WINDOW), speech: 0 };
        return this.rise(this.state, probability, energy);
      case 'rising':
        return this.rise(state, probability, energy);
      case 'open':
        return this.grow(state.part, probability, energy);
    }
  }

  /** Ends what is open. What was too short to count so far is forgotten. */
  flush(): SegmenterEvent[] {
    const { open } = this;
    this.state = { kind: 'idle' };
    return open ? [{ kind: 'closed', span: open, reason: 'flush' }] : [];
  }

  private rise(state: State & { kind: 'rising' }, probability: number, energy: number): SegmenterEvent[] {
    const { part } = state;
    const isSpeech = hear(part, probability, energy, this.exit);
    if (isSpeech) state.speech++;
    if (state.speech >= this.minSpeech) {
      this.state = { kind: 'open', part };
      return [{ kind: 'opened', span: spanOf(part) }];
    }
    if (this.windows - part.speechEnd > this.longestDip) this.state = { kind: 'idle' };
    return [];
  }

  private grow(part: Part, probability: number, energy: number): SegmenterEvent[] {
    hear(part, probability, energy, this.exit);
    if (this.windows - part.speechEnd >= this.hangover) return this.close(part, 'silence');
    if (this.windows - part.first < this.maxPart) return [];
    const at = this.quietestPlace(part);
    return at === undefined ? this.close(part, 'max-length') : this.cut(part, at);
  }

  private close(part: Part, reason: UtteranceEndReason): SegmenterEvent[] {
    this.state = { kind: 'idle' };
    return [{ kind: 'closed', span: spanOf(part), reason }];
  }

  private cut(part: Part, at: number): SegmenterEvent[] {
    const cut = at * SILERO_WINDOW + SILERO_WINDOW / 2;
    const next: Part = {
      ...newPart(part.index + 1, at, cut),
      speechEnd: part.speechEnd,
      probabilities: part.probabilities.splice(at - part.first),
      energies: part.energies.splice(at - part.first),
    };
    this.state = { kind: 'open', part: next };
    return [{ kind: 'cut', span: { ...spanOf(part), end: cut } }];
  }

  /**
   * The window in whose middle a cut does the least harm: the quietest, its neighbours counted at half weight,
   * since a pause between words is longer than a closure inside one; the latest of equals. It lies before the
   * part's last window with speech, so that every part holds speech; undefined where no recent window does.
   */
  private quietestPlace({ first, speechEnd, energies }: Part): number | undefined {
    const from = Math.max(first + 1, this.windows - this.cutSearch);
    let found: number | undefined;
    let least = Infinity;
    for (let window = from; window < speechEnd - 1; window++) {
      const at = window - first;
      const energy = (energies[at - 1] ?? 0) + 2 * (energies[at] ?? 0) + (energies[at + 1] ?? 0);
      if (energy > least) continue;
      least = energy;
      found = window;
    }
    return found;
  }
}

function newPart(index: number, first: number, start: number): Part {
  return { index, first, start, speechEnd: first, probabilities: [], energies: [] };
}

/** Adds a window to `part`; returns whether it holds speech. */
function hear(part: Part, probability: number, energy: number, exit: number): boolean {
  part.probabilities.push(probability);
  part.energies.push(energy);
  const isSpeech = probability >= exit;
  if (isSpeech) part.speechEnd = part.first + part.probabilities.length;
  return isSpeech;
}

function spanOf(part: Part): SpeechSpan {
  const { start, speechEnd, first, index } = part;
  const windows = Math.max(1, Math.min(speechEnd - first, part.probabilities.length));
  let sum = 0;
  for (let i = 0; i < windows; i++) sum += part.probabilities[i] ?? 0;
  return { start, end: speechEnd * SILERO_WINDOW, probability: sum / windows, part: index };
}
