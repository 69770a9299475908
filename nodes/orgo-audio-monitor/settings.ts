/** The settings of the node that lets a wire be heard and seen. */
import { INPUT_SETTINGS } from '../shared/audio-description';
import { number } from '../shared/settings';

/** Ten minutes: 230 MB of 48 kHz stereo in 32-bit float. */
const LONGEST_HISTORY_S = 600;

export const SETTINGS = {
  historySeconds: number(30, { min: 0, max: LONGEST_HISTORY_S, unit: 's', icon: 'history' }),
  ...INPUT_SETTINGS,
};
