/** What a close code of Discord's voice server means, and what we do then. */
import type { OrgoErrorCode } from '../audio/errors';

export type CloseAction =
  /** The library comes back by itself, in the same session or a new one. */
  | { readonly kind: 'recover' }
  /** Perhaps moved: Discord closes the old server before it names the new one. Else thrown out. */
  | { readonly kind: 'moved-or-kicked'; readonly text: string }
  /** Out until told to join again. */
  | { readonly kind: 'out'; readonly text: string }
  /** Try again from the beginning after a pause. */
  | { readonly kind: 'fail'; readonly code: OrgoErrorCode; readonly text: string };

/** https://docs.discord.com/developers/topics/opcodes-and-status-codes#voice-voice-close-event-codes */
export function actionFor(closeCode: number): CloseAction {
  switch (closeCode) {
    case 4006:
    case 4009:
    case 4015:
      return { kind: 'recover' };
    case 4014:
      return { kind: 'moved-or-kicked', text: 'the bot was disconnected, or the channel was deleted (4014)' };
    case 4021:
      return { kind: 'out', text: 'Discord closed the connection for its rate limit (4021)' };
    case 4022:
      return { kind: 'out', text: 'Discord ended the call for everyone in the channel (4022)' };
    case 4017:
      return {
        kind: 'fail',
        code: 'ORGO_DISCORD_FAILED',
        text: 'Discord requires end-to-end encryption in this channel, and the installed library did not offer it (4017). Update @discordjs/voice and @snazzah/davey',
      };
    case 4004:
      return {
        kind: 'fail',
        code: 'ORGO_DISCORD_FAILED',
        text: 'the voice server refused our session (4004)',
      };
    default:
      if (closeCode < 4000) return { kind: 'recover' };
      return {
        kind: 'fail',
        code: 'ORGO_DISCORD_FAILED',
        text: `the voice server closed the connection (${closeCode})`,
      };
  }
}
