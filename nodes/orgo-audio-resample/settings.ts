/** The settings of the resampler's node. */
import { MAX_FRAME_MS, MAX_GAIN_DB, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE } from '../../src/resample/options';
import { INPUT_SETTINGS } from '../shared/audio-description';
import { number, oneOf, optionalNumber } from '../shared/settings';

export const SETTINGS = {
  sampleRate: optionalNumber({
    min: MIN_SAMPLE_RATE,
    max: MAX_SAMPLE_RATE,
    integer: true,
    unit: 'Hz',
    suggestions: [8000, 16000, 22050, 24000, 44100, 48000],
  }),
  channels: oneOf('', ['', 1, 2]),
  encoding: oneOf('', ['', 's16le', 'f32le']),
  frameMs: number(0, { min: 1, max: MAX_FRAME_MS, or: 0, unit: 'ms' }),
  quality: oneOf('high', ['high', 'best', 'fast']),
  gainDb: number(0, { min: -MAX_GAIN_DB, max: MAX_GAIN_DB, unit: 'dB' }),
  ...INPUT_SETTINGS,
};
