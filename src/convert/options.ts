/** What a conversion can be asked for, and what it refuses. */
import { OrgoError } from '../audio/errors';
import type { Channels, PcmEncoding } from '../audio/format';
import { checkOptions } from '../resample/options';

/** Formats that sound is encoded to. */
export const ENCODE_FORMATS = ['mp3', 'aac', 'flac', 'ogg-opus', 'wav'] as const;
export type EncodeFormat = (typeof ENCODE_FORMATS)[number];

/** bit/s, both included: what the encoders take. FLAC and WAV have none. */
export const BITRATE_BOUNDS = {
  mp3: { min: 8000, max: 320_000 },
  aac: { min: 8000, max: 512_000 },
  'ogg-opus': { min: 6000, max: 510_000 },
} as const;

export interface DecodeOptions {
  /** Hz; left out: the file's own, 48000 for Opus. */
  readonly sampleRate?: number | undefined;
  /** Left out: the file's own; what has more than two is mixed down to two. */
  readonly channels?: Channels | undefined;
  /** `s16le` */
  readonly encoding?: PcmEncoding | undefined;
  /** Every frame is this long, but for the last one; 20. */
  readonly frameMs?: number | undefined;
  /** Whether the first write is the whole file (an MP4 may then have its index at its end); false. */
  readonly isWhole?: boolean | undefined;
}

export interface CheckedDecodeOptions {
  readonly sampleRate: number | undefined;
  readonly channels: Channels | undefined;
  readonly encoding: PcmEncoding;
  readonly frameMs: number;
}

export interface EncodeOptions {
  readonly format: EncodeFormat;
  /** bit/s; 128000 */
  readonly bitrate?: number | undefined;
}

/** @throws OrgoError `ORGO_BAD_SETTING` naming what is out of range */
export function checkDecodeOptions(options: DecodeOptions): CheckedDecodeOptions {
  const { sampleRate, channels, encoding = 's16le', frameMs = 20 } = options;
  checkOptions({ sampleRate, channels, encoding, frameMs });
  if (frameMs === 0) refuse('frameMs', frameMs, 'from 1 to 5000 ms');
  return { sampleRate, channels, encoding, frameMs };
}

/** @throws OrgoError `ORGO_BAD_SETTING` naming what is out of range */
export function checkEncodeOptions({ format, bitrate = 128_000 }: EncodeOptions): Required<EncodeOptions> & {
  readonly bitrate: number;
} {
  if (!ENCODE_FORMATS.includes(format)) refuse('format', format, `one of ${ENCODE_FORMATS.join(', ')}`);
  if (format === 'flac' || format === 'wav') return { format, bitrate };
  const { min, max } = BITRATE_BOUNDS[format];
  if (!Number.isInteger(bitrate) || bitrate < min || bitrate > max)
    refuse('bitrate', bitrate, `a whole number from ${min} to ${max} bit/s for ${format}`);
  return { format, bitrate };
}

function refuse(name: string, value: unknown, allowed: string): never {
  throw new OrgoError('ORGO_BAD_SETTING', `${name} is ${String(value)}: it must be ${allowed}`);
}
