/** How long the relay process waits for Discord before it calls that a failure. */

/** Milliseconds, each. */
export interface RelayTimeouts {
  /** For the answer to a REST request, and for the gateway's first word. */
  readonly answerMs: number;
  /** From the first request until Discord has greeted the bot. */
  readonly loginMs: number;
  /** Until the voice server has taken the bot in, or taken it back. */
  readonly joinMs: number;
  /** Discord closes the old voice server up to this long before it names the new one. */
  readonly moveMs: number;
}

export const RELAY_TIMEOUTS: RelayTimeouts = {
  answerMs: 15_000,
  loginMs: 30_000,
  joinMs: 20_000,
  moveMs: 5000,
};
