/** One bot has one voice in a guild: who has claimed it, in this process. */
import { createHash } from 'node:crypto';

const claims = new Set<string>();

/** @returns what gives the claim back, or undefined where someone else holds it */
export function claimVoice(token: string, guildId: string): (() => void) | undefined {
  const key = `${createHash('sha256').update(token).digest('hex')} ${guildId}`;
  if (claims.has(key)) return undefined;
  claims.add(key);
  return () => void claims.delete(key);
}
