/** A place on a stream's sample clock, and the arithmetic with it: each formula once. */
import { msOfSamples } from './format';

/** Where a sample stands: its index since the stream began, and when it was captured. */
export interface Place {
  /** Samples since the stream began, missing ones included, at `sampleRate`. */
  readonly position: number;
  /** Epoch ms, fractional. */
  readonly time: number;
  /** Hz */
  readonly sampleRate: number;
}

/** A sample's index alone. */
type Index = Pick<Place, 'position' | 'sampleRate'>;

/** Anything that stands somewhere and lasts: a frame, or what describes one. */
interface Stretch {
  readonly format: { readonly sampleRate: number };
  readonly samples: number;
  readonly position: number;
  readonly time: number;
}

/** Where a frame begins. */
export function startOf({ format, position, time }: Omit<Stretch, 'samples'>): Place {
  return { position, time, sampleRate: format.sampleRate };
}

/** The place just after a frame's last sample. */
export function endOf(frame: Stretch): Place {
  return moved(startOf(frame), frame.samples);
}

/** The place `samples` later; earlier, where negative. */
export function moved({ position, time, sampleRate }: Place, samples: number): Place {
  return { position: position + samples, time: time + msOfSamples(sampleRate, samples), sampleRate };
}

/** When the sample at `position` was captured, reckoned from another place of the same stream. */
export function timeAt(place: Place, position: number): number {
  return place.time + msOfSamples(place.sampleRate, position - place.position);
}

/** The same place counted at another rate, to the nearest whole sample; its time is that of the new sample. */
export function atRate(place: Place, sampleRate: number): Place {
  if (sampleRate === place.sampleRate) return place;
  const position = positionAtRate(place.position, place.sampleRate, sampleRate);
  const offMs = msOfSamples(sampleRate, position) - msOfSamples(place.sampleRate, place.position);
  return { position, time: place.time + offMs, sampleRate };
}

/** A position counted at another rate, to the nearest whole sample. */
export function positionAtRate(position: number, from: number, to: number): number {
  return Math.round((position * to) / from);
}

/** Milliseconds of sound from one sample to another, which may be counted at different rates. */
export function msBetween(from: Index, to: Index): number {
  return msOfSamples(to.sampleRate, to.position) - msOfSamples(from.sampleRate, from.position);
}
