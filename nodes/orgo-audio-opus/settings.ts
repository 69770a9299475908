/** The settings of the Opus node, from the editor and from `msg.opus`. */
import { OrgoError } from '../../src/audio/errors';
import { ENCODER_SETTINGS, mergeEncoderSettings, type OpusEncoderSettings } from '../../src/opus/settings';
import { INPUT_SETTINGS, inWords, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE } from '../shared/audio-description';
import type { Message, NodeConfig } from '../shared/red';
import { number, oneOf, parseSettings, placed, type SettingValues } from '../shared/settings';

const MODE = { mode: oneOf('encode', ['encode', 'decode']) };
const CONTAINER = { container: oneOf('packets', ['packets', 'ogg']) };

const DECODER_SETTINGS = {
  sampleRate: number(48000, { min: MIN_SAMPLE_RATE, max: MAX_SAMPLE_RATE, integer: true, unit: 'Hz' }),
  channels: oneOf('', ['', 1, 2]),
  encoding: oneOf('s16le', ['s16le', 'f32le']),
};

export const SETTINGS = {
  ...MODE,
  ...placed({ when: { mode: ['encode'] } }, { ...CONTAINER, ...ENCODER_SETTINGS, ...INPUT_SETTINGS }),
  ...placed({ when: { mode: ['decode'] } }, DECODER_SETTINGS),
};

export interface OpusNodeSettings {
  readonly node: SettingValues<typeof MODE & typeof CONTAINER & typeof DECODER_SETTINGS>;
  readonly input: SettingValues<typeof INPUT_SETTINGS>;
  readonly encoder: OpusEncoderSettings;
}

/** @throws OrgoError `ORGO_BAD_SETTING` naming each wrong setting, its value and what is allowed */
export function readSettings(config: NodeConfig): OpusNodeSettings {
  // All at once, so that one error names all that is wrong.
  parseSettings(SETTINGS, config);
  return {
    node: parseSettings({ ...MODE, ...CONTAINER, ...DECODER_SETTINGS }, config),
    input: parseSettings(INPUT_SETTINGS, config),
    encoder: parseSettings(ENCODER_SETTINGS, config),
  };
}

/**
 * `current` with what `msg.opus` changes; `current` itself where that is nothing.
 * @throws OrgoError `ORGO_BAD_SETTING` naming what is wrong in it
 */
export function changedBy(msg: Message, current: OpusEncoderSettings): OpusEncoderSettings {
  const changes = msg['opus'];
  if (changes === undefined || changes === null) return current;
  if (typeof changes !== 'object') {
    throw new OrgoError('ORGO_BAD_SETTING', `msg.opus is ${inWords(changes)}: it must be an object`);
  }
  const changed = mergeEncoderSettings(current, changes);
  const entries = Object.entries(changed) as [keyof OpusEncoderSettings, unknown][];
  return entries.every(([name, value]) => current[name] === value) ? current : changed;
}
