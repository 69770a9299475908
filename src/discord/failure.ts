/** Ends the relay with a reason that people can act on. */
import { errorText, OrgoError } from '../audio/errors';
import { statusOf } from './channel-check';
import type { RelayFailure } from './relay-messages';

/** Thrown where the relay can't go on. */
export class RelayEnd extends Error {
  override readonly name = 'RelayEnd';

  constructor(readonly failure: RelayFailure) {
    super(failure.text);
  }
}

/** What was thrown, as the last message of the relay. */
export function failureOf(thrown: unknown): RelayFailure {
  if (thrown instanceof RelayEnd) return thrown.failure;
  if (thrown instanceof OrgoError) {
    const forGood = thrown.code === 'ORGO_DISCORD_UNAVAILABLE' || thrown.code === 'ORGO_BAD_SETTING';
    return { code: thrown.code, text: thrown.message, then: forGood ? 'never' : 'retry' };
  }
  if (statusOf(thrown) === 401) return badToken();
  return {
    code: 'ORGO_DISCORD_FAILED',
    text: `Discord could not be reached: ${reasonOf(thrown)}`,
    then: 'retry',
  };
}

export function badToken(): RelayFailure {
  return {
    code: 'ORGO_BAD_TOKEN',
    text: "Discord does not accept the bot's token. Copy it anew from the developer portal (Bot > Reset Token)",
    then: 'retry',
  };
}

/** An aborted request says only that it was aborted. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error && thrown.name === 'AbortError') return 'it did not answer in time';
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return errorText(cause instanceof Error && cause.message !== '' ? cause : thrown);
}
