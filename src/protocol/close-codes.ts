/** The WebSocket close codes of the Orgo audio protocol: one definition for both ends. */

export const CloseCode = {
  /** The client sent `stop`, or left. */
  normal: 1000,
  /** The server shuts down, or the computer is stopping. */
  goingAway: 1001,
  /** The client sent binary. */
  unsupportedData: 1003,
  /** Too many unreadable messages, or pings sent faster than their answers are read. */
  policyViolation: 1008,
  /** A message over {@link MAX_MESSAGE_BYTES}. */
  messageTooBig: 1009,
  /** Too many listeners. */
  tryAgainLater: 1013,
  /** A query parameter has a value that is not allowed. */
  badParameter: 4400,
  /** No token, or a wrong one. */
  badToken: 4401,
  /** No such computer, or it does not run. */
  notFound: 4404,
  /** Audio capture could not be started, or stayed lost. */
  captureFailed: 4500,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/**
 * The codes of the proxy in front of the hosted service's computers. It accepts the upgrade first, and then closes.
 * Our own server sends none of them.
 */
export const ProxyCloseCode = {
  /** The proxy does not know this path. */
  badPath: 4000,
  /** As {@link CloseCode.badToken}. */
  badToken: 4001,
  /** The computer does not run. */
  notRunning: 4003,
  /** No such instance. */
  noInstance: 4004,
  /** The computer and the token belong to different workspaces. */
  otherWorkspace: 4006,
  /** A second factor is asked for. */
  secondFactor: 4007,
  /** Nothing was done for 30 minutes. */
  idle: 4008,
  /** The client may only view: no audio. */
  viewOnly: 4011,
  /** The computer can't be reached. */
  unreachable: 4502,
} as const;
export type ProxyCloseCode = (typeof ProxyCloseCode)[keyof typeof ProxyCloseCode];

/** The largest message that a server takes from a client. */
export const MAX_MESSAGE_BYTES = 1024;
