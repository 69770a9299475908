/** The settings of the node that speaks in a Discord voice channel. */
import { badSetting } from '../../src/audio/errors';
import { DISCORD_API_URL, QUEUE_BOUNDS, VOICE_DEFAULTS } from '../../src/discord/voice-settings';
import { ENCODER_BOUNDS } from '../../src/opus/settings';
import { INPUT_SETTINGS } from '../shared/audio-description';
import { address, number, oneOf, placed, secret, text, type SettingValues } from '../shared/settings';

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

/** @throws OrgoError `ORGO_BAD_SETTING` naming the id that is missing, and where Discord shows it */
export function checkIds(settings: VoiceNodeSettings): void {
  for (const name of ['guildId', 'channelId'] as const) {
    if (settings[name] !== '') continue;
    throw badSetting(
      `${name} is missing. In Discord turn on Settings > Advanced > Developer Mode, then right-click the ${name === 'guildId' ? 'server' : 'voice channel'} and choose Copy ID`,
    );
  }
}
