/** What the status of a Discord voice says: a look, and a word of the node's catalog. */
import type { OrgoErrorCode } from '../../src/audio/errors';
import type { VoiceState } from '../../src/discord/discord-voice';
import type { Look } from '../shared/status';

/** What went wrong, by the error's code. */
const TROUBLES: ReadonlyMap<OrgoErrorCode, string> = new Map([
  ['ORGO_BAD_TOKEN', 'bad-token'],
  ['ORGO_DISCORD_NO_CHANNEL', 'no-channel'],
  ['ORGO_DISCORD_FORBIDDEN', 'forbidden'],
  ['ORGO_DISCORD_IN_USE', 'in-use'],
  ['ORGO_DISCORD_UNAVAILABLE', 'unavailable'],
]);

export function wordsFor(state: VoiceState): readonly [look: Look, word: string] {
  switch (state.kind) {
    case 'left':
    case 'closed':
      return ['idle', 'left'];
    case 'connecting':
      return ['busy', 'connecting'];
    case 'securing':
      return ['busy', 'securing'];
    case 'ready':
      return ['ok', 'ready'];
    case 'encrypted':
      return ['ok', 'encrypted'];
    case 'reconnecting':
      return ['busy', 'reconnecting'];
    case 'waiting':
      if (state.isSlowed) return ['error', 'many-log-ins'];
      return ['error', TROUBLES.get(state.error.code) ?? 'failed'];
    case 'unusable':
      return ['error', TROUBLES.get(state.error.code) ?? 'failed'];
    case 'kicked':
      return ['off', 'kicked'];
  }
}

/** Why nothing can be spoken before something changes; undefined where it can, or will be able to soon. */
export function silenceReason(state: VoiceState): string | undefined {
  switch (state.kind) {
    case 'left':
    case 'closed':
      return 'it has left; msg.action join brings it back';
    case 'waiting':
    case 'kicked':
    case 'unusable':
      return state.error.message;
    case 'connecting':
    case 'securing':
    case 'ready':
    case 'encrypted':
    case 'reconnecting':
      return undefined;
  }
}
