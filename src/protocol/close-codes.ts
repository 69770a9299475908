/** The WebSocket close codes of the Orgo audio protocol: one definition for both ends. */

export const CloseCode = {
  /** The client sent `stop`, or left. */
  normal: 1000,
  /** The server shuts down, or the computer is stopping. */
  goingAway: 1001,
  /** The client sent binary. */
  unsupportedData: 1003,
  /** Too many unreadable messages, or pings faster than their answers are read. */
  policyViolation: 1008,
  /** A message over {@link MAX_MESSAGE_BYTES}. */
  messageTooBig: 1009,
  /** Too many listeners. */
  tryAgainLater: 1013,
  /** A query parameter is outside what is allowed. */
  badParameter: 4400,
  /** No token, or a wrong one. */
  badToken: 4401,
  /** No such computer, or it does not run. */
  notFound: 4404,
  /** Audio capture could not be started, or stayed lost. */
  captureFailed: 4500,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** The largest message that a server takes from a client. */
export const MAX_MESSAGE_BYTES = 1024;
