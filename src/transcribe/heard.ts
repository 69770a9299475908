/** What a service heard, with times as it counts them. */

/** Times are ms since the first sample that was sent: on this connection, or of this utterance. */
export interface HeardWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 to 1 */
  readonly confidence?: number | undefined;
}

/** Words that belong together. What a service does not tell is left out, never guessed. */
export interface Heard {
  /** Blank where nothing was said. */
  readonly text: string;
  /** Where the speech begins and ends; words tell it, too. */
  readonly startMs?: number | undefined;
  readonly endMs?: number | undefined;
  readonly words?: readonly HeardWord[] | undefined;
  /** 0 to 1 */
  readonly confidence?: number | undefined;
  /** As the service names it, such as `en` or `english`. */
  readonly language?: string | undefined;
}

/** A word with its times; undefined where the service does not tell all three. */
export function heardWord(
  text: string | undefined,
  startMs: number | undefined,
  endMs: number | undefined,
  confidence?: number,
): HeardWord | undefined {
  if (text === undefined || startMs === undefined || endMs === undefined) return undefined;
  return confidence === undefined ? { text, startMs, endMs } : { text, startMs, endMs, confidence };
}
