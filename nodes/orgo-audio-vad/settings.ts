/** The settings of the speech detector's node. */
import { SPEECH_SETTINGS } from '../../src/vad/speech';
import { INPUT_SETTINGS } from '../shared/audio-description';
import { oneOf } from '../shared/settings';

const { probabilities, ...detection } = SPEECH_SETTINGS;

export const SETTINGS = {
  ...detection,
  utterance: oneOf('wav', ['wav', 'pcm']),
  probabilities,
  ...INPUT_SETTINGS,
};
