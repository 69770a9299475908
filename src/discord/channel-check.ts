/** Asks Discord, before a channel is joined, whether the bot can speak there, so that a "no" comes with its reason. */
import { OrgoError } from '../audio/errors';
import { CHECKS } from '../settings/checks';
import type { Rest } from './libraries';

/** https://docs.discord.com/developers/resources/channel#channel-object-channel-types */
const VOICE_CHANNEL = 2;
const STAGE_CHANNEL = 13;
const CHANNEL_TYPES: Readonly<Record<number, string>> = {
  0: 'a text channel',
  4: 'a category',
  5: 'an announcement channel',
  15: 'a forum',
};
/** https://docs.discord.com/developers/topics/permissions */
const PERMISSIONS = [
  { name: 'View Channel', bit: 1n << 10n },
  { name: 'Connect', bit: 1n << 20n },
  { name: 'Speak', bit: 1n << 21n },
] as const;
const ADMINISTRATOR = 1n << 3n;
const OVERWRITE_ROLE = 0;

interface Overwrite {
  readonly id: string;
  readonly type: number;
  readonly allow: string;
  readonly deny: string;
}

interface Channel {
  readonly type: number;
  readonly guild_id?: string;
  readonly name?: string;
  readonly permission_overwrites?: readonly Overwrite[];
}

interface Guild {
  readonly owner_id: string;
  readonly roles: readonly { readonly id: string; readonly permissions: string }[];
}

interface Member {
  readonly roles: readonly string[];
}

export interface Place {
  readonly guildId: string;
  readonly channelId: string;
}

/** @throws OrgoError `ORGO_BAD_SETTING` where an id is none */
export function checkIds({ guildId, channelId }: Place): void {
  for (const [name, value] of Object.entries({ guildId, channelId })) {
    if (CHECKS['discord-id'].accepts(value)) continue;
    throw new OrgoError(
      'ORGO_BAD_SETTING',
      `${name} is ${JSON.stringify(value)}: an id of Discord has 17 to 20 digits. In Discord turn on Settings > Advanced > Developer Mode, then right-click and choose Copy ID`,
    );
  }
}

/**
 * @throws OrgoError `ORGO_DISCORD_NO_CHANNEL`, `ORGO_DISCORD_FORBIDDEN`; what REST throws for all else
 */
export async function checkChannel(rest: Rest, place: Place, userId: string): Promise<void> {
  const { guildId, channelId } = place;
  const channel = await getChannel(rest, channelId);
  if (channel.guild_id !== guildId) {
    throw new OrgoError(
      'ORGO_DISCORD_NO_CHANNEL',
      `The channel ${channelId} belongs to ${channel.guild_id === undefined ? 'no guild' : `the guild ${channel.guild_id}`}, not to ${guildId}. Set guildId and channelId of the same server`,
    );
  }
  if (channel.type !== VOICE_CHANNEL && channel.type !== STAGE_CHANNEL) {
    const what = CHANNEL_TYPES[channel.type] ?? `a channel of type ${channel.type}`;
    throw new OrgoError(
      'ORGO_DISCORD_NO_CHANNEL',
      `The channel ${channel.name ?? channelId} is ${what}. Choose a voice channel`,
    );
  }
  const missing = await missingPermissions(rest, channel, place, userId);
  if (missing.length > 0) {
    throw new OrgoError(
      'ORGO_DISCORD_FORBIDDEN',
      `The bot lacks the permission ${missing.join(', ')} in the channel ${channel.name ?? channelId}. Give it to the bot's role, or in the channel's own permissions`,
    );
  }
}

async function getChannel(rest: Rest, channelId: string): Promise<Channel> {
  try {
    return (await rest.get(`/channels/${channelId}`)) as Channel;
  } catch (cause) {
    const status = statusOf(cause);
    if (status === 404)
      throw new OrgoError(
        'ORGO_DISCORD_NO_CHANNEL',
        `Discord knows no channel ${channelId}. Check channelId`,
        { cause },
      );
    if (status === 403) {
      throw new OrgoError(
        'ORGO_DISCORD_FORBIDDEN',
        `The bot can't see the channel ${channelId}. Invite it to the server, and let it view the channel`,
        { cause },
      );
    }
    throw cause;
  }
}

/** By the algorithm of Discord's documentation: everyone, roles, then the channel's overwrites in the same order. */
async function missingPermissions(
  rest: Rest,
  channel: Channel,
  place: Place,
  userId: string,
): Promise<string[]> {
  const [guild, member] = (await Promise.all([
    rest.get(`/guilds/${place.guildId}`),
    rest.get(`/guilds/${place.guildId}/members/${userId}`),
  ])) as [Guild, Member];
  if (guild.owner_id === userId) return [];
  const mine = new Set([place.guildId, ...member.roles]);
  let granted = 0n;
  for (const role of guild.roles) if (mine.has(role.id)) granted |= BigInt(role.permissions);
  if ((granted & ADMINISTRATOR) !== 0n) return [];
  const overwrites = channel.permission_overwrites ?? [];
  const everyone = overwrites.filter(({ id }) => id === place.guildId);
  const roles = overwrites.filter(
    ({ id, type }) => type === OVERWRITE_ROLE && id !== place.guildId && mine.has(id),
  );
  const own = overwrites.filter(({ id }) => id === userId);
  for (const layer of [everyone, roles, own]) granted = apply(granted, layer);
  return PERMISSIONS.filter(({ bit }) => (granted & bit) === 0n).map(({ name }) => name);
}

/** Within one layer a grant beats a denial. */
function apply(granted: bigint, layer: readonly Overwrite[]): bigint {
  for (const { deny } of layer) granted &= ~BigInt(deny);
  for (const { allow } of layer) granted |= BigInt(allow);
  return granted;
}

/** The HTTP status of what REST threw. */
export function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('status' in thrown)) return undefined;
  return typeof thrown.status === 'number' ? thrown.status : undefined;
}
