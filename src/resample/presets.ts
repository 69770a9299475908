/** The qualities that a resampler may have, as what its filter must do. */

export type Quality = 'fast' | 'high' | 'best' | 'live';

export interface Preset {
  /** What is left of a tone beyond the stop band's start, dB below it. */
  readonly attenuationDb: number;
  /** End of the pass band, as a fraction of half the lower of the two rates. */
  readonly passEnd: number;
  /** Start of the stop band, likewise. */
  readonly stopStart: number;
}

/**
 * `high` keeps within 4 ms of delay where both rates are 20 kHz and more. `live` is for a server's listeners: the
 * widest pass band that 2 ms from 48 to 24 kHz and 90 dB admit.
 */
export const PRESETS: Readonly<Record<Quality, Preset>> = {
  fast: { attenuationDb: 80, passEnd: 0.8, stopStart: 1 },
  high: { attenuationDb: 108, passEnd: 0.91, stopStart: 1 },
  best: { attenuationDb: 125, passEnd: 0.95, stopStart: 1 },
  live: { attenuationDb: 90, passEnd: 0.88, stopStart: 1 },
};
