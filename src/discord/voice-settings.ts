/** The settings of a Discord voice: their defaults, and what is allowed. */
import { OrgoError } from '../audio/errors';
import { checkIds } from './channel-check';
import type { LiveDuringRecording } from './pacer';
import { checkBitrate } from './sound-encoder';

export interface DiscordVoiceOptions {
  readonly token: string;
  readonly guildId: string;
  readonly channelId: string;
  /** Live sound waits at most so long, ms; 160. */
  readonly maxQueueMs?: number | undefined;
  /** Of sound that is encoded here, bit/s; 64000. */
  readonly bitrate?: number | undefined;
  /** `drop` */
  readonly liveDuringRecording?: LiveDuringRecording | undefined;
  /** Without version; `https://discord.com/api`. */
  readonly apiUrl?: string | undefined;
}

export type DiscordVoiceSettings = {
  readonly [Name in keyof DiscordVoiceOptions]-?: NonNullable<DiscordVoiceOptions[Name]>;
};

/** Without version: the REST library adds it. */
export const DISCORD_API_URL = 'https://discord.com/api';
export const VOICE_DEFAULTS = {
  maxQueueMs: 160,
  bitrate: 64000,
  liveDuringRecording: 'drop',
  apiUrl: DISCORD_API_URL,
} as const;
/** Of `maxQueueMs`, both included. */
export const QUEUE_BOUNDS = { min: 40, max: 5000 } as const;

/** @throws OrgoError `ORGO_BAD_SETTING` naming what is wrong */
export function withDefaults(options: DiscordVoiceOptions): DiscordVoiceSettings {
  const settings: DiscordVoiceSettings = {
    ...options,
    maxQueueMs: options.maxQueueMs ?? VOICE_DEFAULTS.maxQueueMs,
    bitrate: options.bitrate ?? VOICE_DEFAULTS.bitrate,
    liveDuringRecording: options.liveDuringRecording ?? VOICE_DEFAULTS.liveDuringRecording,
    apiUrl: options.apiUrl ?? VOICE_DEFAULTS.apiUrl,
  };
  checkSettings(settings);
  return settings;
}

function checkSettings(settings: DiscordVoiceSettings): void {
  const { token, maxQueueMs, apiUrl } = settings;
  if (token.trim() === '') {
    throw new OrgoError(
      'ORGO_BAD_SETTING',
      "The bot's token is missing. Copy it from the developer portal of Discord (Bot > Reset Token) into the node",
    );
  }
  checkIds(settings);
  checkBitrate(settings.bitrate);
  if (!Number.isFinite(maxQueueMs) || maxQueueMs < QUEUE_BOUNDS.min || maxQueueMs > QUEUE_BOUNDS.max) {
    throw new OrgoError(
      'ORGO_BAD_SETTING',
      `maxQueueMs is ${maxQueueMs}: it must be from ${QUEUE_BOUNDS.min} to ${QUEUE_BOUNDS.max}`,
    );
  }
  if (!/^https?:\/\/./.test(apiUrl)) {
    throw new OrgoError(
      'ORGO_BAD_SETTING',
      `apiUrl is ${JSON.stringify(apiUrl)}: it must begin with https:// (or http://)`,
    );
  }
}
