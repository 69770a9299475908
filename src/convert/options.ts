/** What a conversion can be asked for, and what it refuses. */
import { OrgoError } from '../audio/errors';
import type { Channels, PcmEncoding } from '../audio/format';
import { MAX_FRAME_MS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE } from '../resample/options';
import { number, oneOf, optionalNumber, type SettingValues, type SomeSettings } from '../settings/setting';

/** Formats that sound is encoded to. */
export const ENCODE_FORMATS = ['mp3', 'aac', 'flac', 'ogg-opus', 'wav'] as const;
export type EncodeFormat = (typeof ENCODE_FORMATS)[number];

/** bit/s, both included: what the encoders take. FLAC and WAV have none. */
export const BITRATE_BOUNDS = {
  mp3: { min: 8000, max: 320_000 },
  aac: { min: 8000, max: 512_000 },
  'ogg-opus': { min: 6000, max: 510_000 },
} as const;

export const DECODE_SETTINGS = {
  /** Blank: the file's own, 48000 for Opus. */
  sampleRate: optionalNumber({
    ...{ min: MIN_SAMPLE_RATE, max: MAX_SAMPLE_RATE, integer: true, unit: 'Hz' },
    suggestions: [8000, 16000, 24000, 44100, 48000],
  }),
  /** Blank: the file's own; what has more than two is mixed down to two. */
  channels: oneOf<Channels | ''>('', ['', 1, 2]),
  encoding: oneOf<PcmEncoding>('s16le', ['s16le', 'f32le']),
  /** Every frame is this long, but for the last one. */
  frameMs: number(20, { min: 1, max: MAX_FRAME_MS, unit: 'ms' }),
};
export type DecodeSettings = SettingValues<typeof DECODE_SETTINGS>;

export interface DecodeOptions extends SomeSettings<typeof DECODE_SETTINGS> {
  /** Whether the first write is the whole file (an MP4 may then have its index at its end); false. */
  readonly isWhole?: boolean | undefined;
}

export interface EncodeOptions {
  readonly format: EncodeFormat;
  /** bit/s; 128000 */
  readonly bitrate?: number | undefined;
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
