/** Silence that stands in for sound that is missing: the one place that makes it, always within a limit. */
import type { PcmFrame } from './frame';
import { moved, startOf } from './place';
import { silence } from './samples';

/** A gap, filled as far as the limit allows. */
export interface FilledGap {
  /** Silence from the first missing sample on; undefined where nothing was filled. */
  readonly filler: PcmFrame | undefined;
  /** The sound after the gap; its `gap` is what was not filled. */
  readonly sound: PcmFrame;
}

/**
 * Fills the gap before `frame` with silence, from its beginning on.
 * @param most samples to fill; of a longer gap the rest stays missing
 */
export function fillGap(frame: PcmFrame, most: number): FilledGap {
  const filled = Math.min(frame.gap, most);
  if (filled <= 0) return { filler: undefined, sound: frame };
  return {
    filler: silenceBefore(frame, filled, frame.gap),
    sound: { ...frame, gap: frame.gap - filled },
  };
}

/**
 * Silence in the gap before `frame`, without a gap of its own.
 * @param samples of it
 * @param before how many samples before `frame` it begins; by default it ends where `frame` begins
 */
export function silenceBefore(frame: PcmFrame, samples: number, before = samples): PcmFrame {
  const { position, time } = moved(startOf(frame), -before);
  return { ...frame, data: silence(frame.format, samples), samples, position, time, gap: 0 };
}
