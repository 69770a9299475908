/** Reads the numbers of `msg.audio`: each is checked before anything is computed with it. */
import { badProperty, isSampleRate, MAX_SAMPLE_RATE, type AudioDescription } from '../audio-description';

/** The longest gap, or payload, that a message may describe. */
const LONGEST_SECONDS = 24 * 3600;
/** The highest position: another day of sound at any rate still counts exactly. */
export const MAX_POSITION = Number.MAX_SAFE_INTEGER - LONGEST_SECONDS * MAX_SAMPLE_RATE;
/** An Ogg header has 16 bits for it (RFC 7845 §5.1). */
const MAX_PRE_SKIP = 0xffff;

/** The numbers of one message; undefined is what the message leaves out. */
export interface DescribedNumbers {
  readonly position: number | undefined;
  /** Epoch ms. */
  readonly time: number | undefined;
  readonly gap: number | undefined;
  readonly samples: number | undefined;
  readonly latencyMs: number | undefined;
  readonly preSkip: number | undefined;
}

/** Samples that may be missing, or come, at once: 24 hours of sound. */
export function mostSamples(sampleRate: number): number {
  return LONGEST_SECONDS * sampleRate;
}

/** @throws OrgoError `ORGO_BAD_INPUT` naming the property, what came and what is wanted */
export function numbersOf(description: AudioDescription | undefined): DescribedNumbers {
  const { sampleRate } = description ?? {};
  const most = mostSamples(isSampleRate(sampleRate) ? sampleRate : MAX_SAMPLE_RATE);
  return {
    position: whole(description, 'position', MAX_POSITION),
    time: finite(description, 'time', -Number.MAX_VALUE, Number.MAX_VALUE),
    gap: whole(description, 'gap', most),
    samples: whole(description, 'samples', most),
    latencyMs: finite(description, 'latencyMs', 0, LONGEST_SECONDS * 1000),
    preSkip: whole(description, 'preSkip', MAX_PRE_SKIP),
  };
}

function whole(description: AudioDescription | undefined, name: string, most: number): number | undefined {
  const value = description?.[name];
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most) return Number(value);
  throw badProperty(name, value, `a whole number from 0 to ${most}`);
}

function finite(
  description: AudioDescription | undefined,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const value = description?.[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  const wanted = most === Number.MAX_VALUE ? 'a finite number' : `a number from ${least} to ${most}`;
  throw badProperty(name, value, wanted);
}
