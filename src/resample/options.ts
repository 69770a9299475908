/** What a resampler can be asked for, and what it refuses. */
import { OrgoError } from '../audio/errors';
import { isPcmEncoding, type Channels, type PcmEncoding, type PcmFormat } from '../audio/format';
import { PRESETS, type Quality } from './presets';

/** Hz */
export const MIN_SAMPLE_RATE = 8000;
export const MAX_SAMPLE_RATE = 192_000;
/** Either way from 0 dB. */
export const MAX_GAIN_DB = 60;
/** Frames may be as long as this. */
export const MAX_FRAME_MS = 5000;

export interface ResamplerOptions {
  /** Hz; left out: that of the input. */
  readonly sampleRate?: number | undefined;
  /** Left out: those of the input. Two become one by their average, one becomes two by doubling. */
  readonly channels?: Channels | undefined;
  /** Left out: that of the input. */
  readonly encoding?: PcmEncoding | undefined;
  /** `high` */
  readonly quality?: Quality | undefined;
  /** 0 */
  readonly gainDb?: number | undefined;
  /** Every frame that comes out is this long, but for the last one; 0, the default: as it comes. */
  readonly frameMs?: number | undefined;
  /** Called with how many more samples, counted in each channel, were beyond full scale and went out clipped. */
  readonly onClip?: ((samples: number) => void) | undefined;
}

/** @throws OrgoError `ORGO_BAD_SETTING` naming what is out of range */
export function checkOptions(options: ResamplerOptions): void {
  const { sampleRate, channels, encoding, quality = 'high', gainDb = 0, frameMs = 0 } = options;
  if (sampleRate !== undefined && !isSampleRate(sampleRate)) refuse('sampleRate', sampleRate, RATES);
  if (channels !== undefined && !isChannels(channels)) refuse('channels', channels, '1 or 2');
  if (encoding !== undefined && !isPcmEncoding(encoding)) refuse('encoding', encoding, 's16le or f32le');
  if (!Object.hasOwn(PRESETS, quality))
    refuse('quality', quality, `one of ${Object.keys(PRESETS).join(', ')}`);
  if (!(Math.abs(gainDb) <= MAX_GAIN_DB))
    refuse('gainDb', gainDb, `from -${MAX_GAIN_DB} to ${MAX_GAIN_DB} dB`);
  if (frameMs !== 0 && !(frameMs >= 1 && frameMs <= MAX_FRAME_MS)) {
    refuse('frameMs', frameMs, `0, or from 1 to ${MAX_FRAME_MS} ms`);
  }
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

function refuse(name: string, value: unknown, allowed: string): never {
  throw new OrgoError('ORGO_BAD_SETTING', `${name} is ${String(value)}: it must be ${allowed}`);
}
