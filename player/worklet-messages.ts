/** What the page and its audio worklet tell each other. */
import type { Sound } from './sound';

/** The name under which the worklet registers its processor. */
export const PROCESSOR = 'orgo-playout';

/** From the page: sound that arrived. */
export interface ArrivedSound extends Sound {
  readonly recorded: boolean;
}

/** From the worklet, every 50 ms. */
export interface PlayoutReport {
  /** Sound that waits, ms. */
  readonly queuedMs: number;
  /** RMS of the last 300 ms, dBFS. */
  readonly level: number;
  readonly underruns: number;
  readonly resets: number;
  readonly isPlaying: boolean;
}
