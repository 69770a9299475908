/** What to do when a stream ended or could not start: decided by its close code, else by its error. */
import type { OrgoError, OrgoErrorCode } from '../audio/errors';
import { CloseCode, ProxyCloseCode } from '../protocol/close-codes';

export type Reaction =
  /** Try again after 0.5 s to 30 s. */
  | 'retry'
  /** Try again now: the end was no failure. */
  | 'retry-now'
  /** Try again after 30 s or more: someone else must change something first. */
  | 'retry-slowly'
  /** Ask for another token and try again now. If that fails too, retry slowly. */
  | 'renew-token'
  /** Ask for another address and try again now. If that fails too, never. */
  | 'renew-address'
  /** The same settings would only fail again. */
  | 'never';

const BY_CLOSE_CODE: ReadonlyMap<number, Reaction> = new Map<number, Reaction>([
  [CloseCode.badParameter, 'never'],
  [CloseCode.badToken, 'renew-token'],
  [ProxyCloseCode.badToken, 'renew-token'],
  [ProxyCloseCode.badPath, 'never'],
  [ProxyCloseCode.noInstance, 'renew-address'],
  [ProxyCloseCode.otherWorkspace, 'never'],
  [ProxyCloseCode.viewOnly, 'never'],
  [ProxyCloseCode.idle, 'retry-now'],
]);

const BY_ERROR: ReadonlyMap<OrgoErrorCode, Reaction> = new Map<OrgoErrorCode, Reaction>([
  // HTTP 401 instead of a WebSocket.
  ['ORGO_BAD_TOKEN', 'renew-token'],
  ['ORGO_BAD_SETTING', 'never'],
  ['ORGO_API_KEY_REJECTED', 'never'],
  ['ORGO_API_FORBIDDEN', 'never'],
  // The API gave this address, and may give a better one later.
  ['ORGO_BAD_ADDRESS', 'retry-slowly'],
]);

export function reactionTo(error: OrgoError, closeCode: number | undefined): Reaction {
  const byCode = closeCode === undefined ? undefined : BY_CLOSE_CODE.get(closeCode);
  if (byCode !== undefined) return byCode;
  // A close code that is not listed means retry, even if its error code is listed.
  return closeCode === undefined ? (BY_ERROR.get(error.code) ?? 'retry') : 'retry';
}
