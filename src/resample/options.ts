/** What a resampler can be asked for, and what it refuses. */
import { OrgoError } from '../audio/errors';
import { isPcmEncoding, type Channels, type PcmEncoding, type PcmFormat } from '../audio/format';
import { number, oneOf, optionalNumber, type SettingValues, type SomeSettings } from '../settings/setting';
import type { Quality } from './presets';

/** Hz */
export const MIN_SAMPLE_RATE = 8000;
export const MAX_SAMPLE_RATE = 192_000;
/** Either way from 0 dB. */
export const MAX_GAIN_DB = 60;
/** Frames may be as long as this. */
export const MAX_FRAME_MS = 5000;

/** What a resampler can be asked for: for it, its node and the editor alike. Blank keeps what the input has. */
export const RESAMPLER_SETTINGS = {
  sampleRate: optionalNumber({
    ...{ min: MIN_SAMPLE_RATE, max: MAX_SAMPLE_RATE, integer: true, unit: 'Hz' },
    suggestions: [8000, 16000, 22050, 24000, 44100, 48000],
  }),
  /** Two become one by their average, one becomes two by doubling. */
  channels: oneOf<Channels | ''>('', ['', 1, 2]),
  encoding: oneOf<PcmEncoding | ''>('', ['', 's16le', 'f32le']),
  /** Every frame that comes out is this long, but for the last one; 0: as it comes. */
  frameMs: number(0, { min: 1, max: MAX_FRAME_MS, or: 0, unit: 'ms' }),
  quality: oneOf<Quality>('high', ['high', 'best', 'fast', 'live']),
  gainDb: number(0, { min: -MAX_GAIN_DB, max: MAX_GAIN_DB, unit: 'dB' }),
};
export type ResamplerSettings = SettingValues<typeof RESAMPLER_SETTINGS>;

export interface ResamplerOptions extends SomeSettings<typeof RESAMPLER_SETTINGS> {
  /** Called with how many more samples, counted in each channel, were beyond full scale and went out clipped. */
  readonly onClip?: ((samples: number) => void) | undefined;
}

/** @throws OrgoError `ORGO_BAD_INPUT` where sound of this format can not be taken */
export function checkInput({ encoding, sampleRate, channels }: PcmFormat): void {
  const wrong = isSampleRate(sampleRate)
    ? isChannels(channels)
      ? isPcmEncoding(encoding)
        ? undefined
        : `the encoding ${String(encoding)}: s16le or f32le is wanted`
      : `${String(channels)} channels: 1 or 2 are wanted`
    : `${String(sampleRate)} Hz: ${RATES} is wanted`;
  if (wrong !== undefined) throw new OrgoError('ORGO_BAD_INPUT', `The sound that came is of ${wrong}`);
}

const RATES = `a whole number from ${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE} Hz`;

function isSampleRate(rate: number): boolean {
  return Number.isInteger(rate) && rate >= MIN_SAMPLE_RATE && rate <= MAX_SAMPLE_RATE;
}

function isChannels(channels: number): boolean {
  return channels === 1 || channels === 2;
}
