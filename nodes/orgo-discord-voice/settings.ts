/** The settings of the node that speaks in a Discord voice channel. */
import { OrgoError } from '../../src/audio/errors';
import { DISCORD_API_URL, QUEUE_BOUNDS, VOICE_DEFAULTS } from '../../src/discord/voice-settings';
import { ENCODER_BOUNDS } from '../../src/opus/settings';
import { INPUT_SETTINGS } from '../shared/audio-description';
import type { NodeConfig, RedNode } from '../shared/red';
import {
  address,
  number,
  oneOf,
  parseSettings,
  placed,
  secret,
  text,
  type SettingValues,
} from '../shared/settings';

export const SETTINGS = {
  ...placed(
    { section: 'where' },
    {
      token: secret({ required: true, icon: 'lock' }),
      guildId: text('', { check: 'discord-id', icon: 'users' }),
      channelId: text('', { check: 'discord-id', icon: 'volume-up' }),
    },
  ),
  ...placed(
    { section: 'speech' },
    {
      maxQueueMs: number(VOICE_DEFAULTS.maxQueueMs, { ...QUEUE_BOUNDS, unit: 'ms' }),
      bitrate: number(VOICE_DEFAULTS.bitrate, { ...ENCODER_BOUNDS.bitrate, integer: true, unit: 'bit/s' }),
      liveDuringRecording: oneOf(VOICE_DEFAULTS.liveDuringRecording, ['drop', 'interrupt']),
      apiUrl: address(DISCORD_API_URL, ['https:', 'http:']),
    },
  ),
  ...INPUT_SETTINGS,
};

export type VoiceNodeSettings = SettingValues<typeof SETTINGS>;

/** @throws OrgoError `ORGO_BAD_SETTING` naming each wrong setting, its value and what is allowed */
export function readSettings(
  config: NodeConfig,
  credentials: RedNode['credentials'] = {},
): VoiceNodeSettings {
  const settings = parseSettings(SETTINGS, config, credentials);
  for (const name of ['guildId', 'channelId'] as const) {
    if (settings[name] !== '') continue;
    throw new OrgoError(
      'ORGO_BAD_SETTING',
      `${name} is missing. In Discord turn on Settings > Advanced > Developer Mode, then right-click the ${name === 'guildId' ? 'server' : 'voice channel'} and choose Copy ID`,
    );
  }
  return settings;
}
