/** What a server says that it sends, and whether that can be used. */
import type { AudioFormat, PcmFormat } from '../audio/format';
import type { Started } from '../protocol/messages';
import type { Codec } from '../protocol/stream-format';

/** PCM as in the document, or Opus packets by our extension. */
export type HeardFormat = PcmFormat | AudioFormat<'opus'>;

/** What follows a `started`. */
export interface Offer {
  readonly format: HeardFormat;
  /** Opus: the encoder's look-ahead, samples at 48 kHz; undefined for PCM, and where it was not said. */
  readonly preSkip: number | undefined;
}

/** Rates that a payload of the message contract may have, Hz. */
const MIN_SAMPLE_RATE = 8000;
const MAX_SAMPLE_RATE = 192_000;

/** What `started` offers; undefined where that can't be used. @param asked Opus is taken only where it was asked for */
export function offerOf(started: Started, asked: Codec): Offer | undefined {
  const { sample_rate: sampleRate, channels, codec } = started;
  if (!Number.isInteger(sampleRate) || sampleRate < MIN_SAMPLE_RATE || sampleRate > MAX_SAMPLE_RATE)
    return undefined;
  if (channels !== 1 && channels !== 2) return undefined;
  if (codec !== 'opus') return { format: { encoding: 's16le', sampleRate, channels }, preSkip: undefined };
  if (asked !== 'opus') return undefined;
  return { format: { encoding: 'opus', sampleRate, channels }, preSkip: started.pre_skip };
}

/** Whether both count the same samples: how they are encoded does not matter. */
export function sameSamples(a: AudioFormat, b: AudioFormat): boolean {
  return a.sampleRate === b.sampleRate && a.channels === b.channels;
}
