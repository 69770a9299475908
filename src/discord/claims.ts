/** One bot has one voice in a guild: who has claimed it, in this process. */
import { createHash } from 'node:crypto';
import { OrgoError } from '../audio/errors';

const claims = new Set<string>();

/** @returns what gives the claim back, or undefined where someone else holds it */
export function claimVoice(token: string, guildId: string): (() => void) | undefined {
  const key = `${createHash('sha256').update(token).digest('hex')} ${guildId}`;
  if (claims.has(key)) return undefined;
  claims.add(key);
  return () => void claims.delete(key);
}

/** Someone else holds the claim. */
export function voiceInUse(guildId: string): OrgoError {
  return new OrgoError(
    'ORGO_DISCORD_IN_USE',
    `Another node speaks with the same bot in the server ${guildId} already: a bot has one voice in each server. Use that node, or another bot`,
  );
}
