/** The settings of the speech detector's node. */
import { INPUT_SETTINGS } from '../shared/audio-description';
import { boolean, number, oneOf } from '../shared/settings';

const MAX_MS = 10_000;
/** Shorter parts would leave no choice of a place to cut at. */
const SHORTEST_UTTERANCE_MS = 1000;
/** As much of one stream is kept until the utterance is over. */
const LONGEST_UTTERANCE_MS = 600_000;

export const SPEECH_SETTINGS = {
  threshold: number(0.5, { min: 0, max: 1 }),
  minSpeechMs: number(200, { min: 0, max: MAX_MS, unit: 'ms' }),
  hangoverMs: number(500, { min: 0, max: MAX_MS, unit: 'ms' }),
  preRollMs: number(300, { min: 0, max: MAX_MS, unit: 'ms' }),
  maxUtteranceMs: number(30_000, { min: SHORTEST_UTTERANCE_MS, max: LONGEST_UTTERANCE_MS, unit: 'ms' }),
  gate: oneOf('drop', ['drop', 'silence', 'pass']),
  utterance: oneOf('wav', ['wav', 'pcm']),
  probabilities: boolean(false),
};

export const SETTINGS = { ...SPEECH_SETTINGS, ...INPUT_SETTINGS };
