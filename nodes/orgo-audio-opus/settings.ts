/** The settings of the Opus node, from the editor and from `msg.opus`. */
import { badSetting } from '../../src/audio/errors';
import {
  DECODER_SETTINGS,
  ENCODER_SETTINGS,
  mergeEncoderSettings,
  type OpusEncoderSettings,
} from '../../src/opus/settings';
import { INPUT_SETTINGS, inWords } from '../shared/audio-description';
import type { Message } from '../shared/red';
import { oneOf, placed, type SettingValues } from '../shared/settings';

export const SETTINGS = {
  mode: oneOf('encode', ['encode', 'decode']),
  ...placed(
    { when: { mode: ['encode'] } },
    { container: oneOf('packets', ['packets', 'ogg']), ...ENCODER_SETTINGS, ...INPUT_SETTINGS },
  ),
  ...placed({ when: { mode: ['decode'] } }, DECODER_SETTINGS),
};
export type OpusNodeSettings = SettingValues<typeof SETTINGS>;

/**
 * `current` with what `msg.opus` changes; `current` itself where that is nothing.
 * @throws OrgoError `ORGO_BAD_SETTING` naming what is wrong in it
 */
export function changedBy(msg: Message, current: OpusEncoderSettings): OpusEncoderSettings {
  const changes = msg['opus'];
  if (changes === undefined || changes === null) return current;
  if (typeof changes !== 'object') {
    throw badSetting(`msg.opus is ${inWords(changes)}: it must be an object`);
  }
  const changed = mergeEncoderSettings(current, changes);
  const entries = Object.entries(changed) as [keyof OpusEncoderSettings, unknown][];
  return entries.every(([name, value]) => current[name] === value) ? current : changed;
}
