/** The settings of the resampler's node. */
import { RESAMPLER_SETTINGS } from '../../src/resample/options';
import { INPUT_SETTINGS } from '../shared/audio-description';
import { oneOf } from '../shared/settings';

export const SETTINGS = {
  ...RESAMPLER_SETTINGS,
  quality: oneOf('high', ['high', 'best', 'fast']),
  ...INPUT_SETTINGS,
};
