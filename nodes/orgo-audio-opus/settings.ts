/** The settings of the Opus node, from the editor and from `msg.opus`. */
import { OrgoError } from '../../src/audio/errors';
import { FRAME_LENGTHS_MS } from '../../src/opus/codec';
import {
  DEFAULT_ENCODER_SETTINGS as DEFAULTS,
  ENCODER_BOUNDS,
  type OpusEncoderSettings,
} from '../../src/opus/settings';
import { INPUT_SETTINGS, inWords, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE } from '../shared/audio-description';
import type { Message, NodeConfig } from '../shared/red';
import { boolean, number, oneOf, parseSettings, type SettingValues } from '../shared/settings';

const ENCODER_SETTINGS = {
  application: oneOf(DEFAULTS.application, ['audio', 'voip', 'lowdelay']),
  bitrate: number(DEFAULTS.bitrate, { ...ENCODER_BOUNDS.bitrate, integer: true }),
  frameMs: oneOf(DEFAULTS.frameMs, FRAME_LENGTHS_MS),
  complexity: number(DEFAULTS.complexity, { ...ENCODER_BOUNDS.complexity, integer: true }),
  fec: boolean(DEFAULTS.fec),
  packetLoss: number(DEFAULTS.packetLoss, { ...ENCODER_BOUNDS.packetLoss, integer: true }),
  dtx: boolean(DEFAULTS.dtx),
};

const NODE_SETTINGS = {
  mode: oneOf('encode', ['encode', 'decode']),
  container: oneOf('packets', ['packets', 'ogg']),
  sampleRate: number(48000, { min: MIN_SAMPLE_RATE, max: MAX_SAMPLE_RATE, integer: true }),
  channels: oneOf('', ['', 1, 2]),
  encoding: oneOf('s16le', ['s16le', 'f32le']),
};

export interface OpusNodeSettings {
  readonly node: SettingValues<typeof NODE_SETTINGS>;
  readonly input: SettingValues<typeof INPUT_SETTINGS>;
  readonly encoder: OpusEncoderSettings;
}

/** @throws OrgoError `ORGO_BAD_SETTING` naming each wrong setting, its value and what is allowed */
export function readSettings(config: NodeConfig): OpusNodeSettings {
  const all = { ...NODE_SETTINGS, ...INPUT_SETTINGS, ...ENCODER_SETTINGS };
  parseSettings(all, config);
  return {
    node: parseSettings(NODE_SETTINGS, config),
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
  if (typeof changes !== 'object') throw bad(`is ${inWords(changes)}: it must be an object`);
  const names = Object.keys(ENCODER_SETTINGS);
  const unknown = Object.keys(changes).find((name) => !names.includes(name));
  if (unknown !== undefined) throw bad(`has a property ${unknown}: there are ${names.join(', ')}`);
  const changed = parseSettings(ENCODER_SETTINGS, { ...current, ...changes });
  const entries = Object.entries(changed) as [keyof OpusEncoderSettings, unknown][];
  return entries.every(([name, value]) => current[name] === value) ? current : changed;
}

function bad(what: string): OrgoError {
  return new OrgoError('ORGO_BAD_SETTING', `msg.opus ${what}`);
}
