/** Explains, in words a user can act on, why a server ended an audio stream or refused one. */
import { OrgoError } from '../audio/errors';
import { CloseCode, ProxyCloseCode } from '../protocol/close-codes';

/** WebSocket codes that are never sent: no code was given; no closing handshake took place (RFC 6455 §7.4.1). */
const NO_CODE = 1005;
const NO_HANDSHAKE = 1006;

/**
 * What a WebSocket's end means.
 * @param code the close code
 * @param text what the server said: its last `error` message, else the reason of its close frame, fit to be shown
 * @param where the address without query
 */
export function closeError(code: number, text: string, where: string): OrgoError {
  const said = text === '' ? '' : ` (“${text}”)`;
  switch (code) {
    case CloseCode.badToken:
    case ProxyCloseCode.badToken:
      return new OrgoError('ORGO_BAD_TOKEN', `${where} rejected the password${said}: enter the right one`);
    case CloseCode.notFound:
      return new OrgoError(
        'ORGO_COMPUTER_NOT_RUNNING',
        `The computer at ${where} was not found, or is not running${said}: start it, or check computerId`,
      );
    case CloseCode.captureFailed:
      return new OrgoError(
        'ORGO_CAPTURE_FAILED',
        `The computer at ${where} could not capture its sound${said}: check its sound server`,
      );
    case ProxyCloseCode.notRunning:
      return new OrgoError(
        'ORGO_COMPUTER_NOT_RUNNING',
        `The computer at ${where} is not running${said}: start it; we keep trying`,
      );
    case ProxyCloseCode.noInstance:
      return new OrgoError(
        'ORGO_NO_SUCH_COMPUTER',
        `There is no computer at ${where}${said}: check computerId and the address`,
      );
    case ProxyCloseCode.otherWorkspace:
      return new OrgoError(
        'ORGO_NO_ACCESS',
        `The computer at ${where} is of another workspace${said}: enter a key of that workspace`,
      );
    case ProxyCloseCode.viewOnly:
      return new OrgoError(
        'ORGO_NO_ACCESS',
        `Your access to ${where} is for viewing only, without sound${said}: ask its owner for full access`,
      );
    case ProxyCloseCode.secondFactor:
      return new OrgoError(
        'ORGO_SECOND_FACTOR',
        `${where} asks for a second factor${said}: confirm it where you sign in; we keep trying`,
      );
    case ProxyCloseCode.badPath:
      return new OrgoError(
        'ORGO_BAD_ADDRESS',
        `There is no audio at ${where}: the server does not know this path${said}: check the address`,
      );
    case ProxyCloseCode.idle:
      return failed(`${where} ended the stream because nothing was done for a while${said}`);
    case ProxyCloseCode.unreachable:
      return failed(`The server at ${where} can't reach the computer${said}: check that it runs`);
    case CloseCode.badParameter:
      return new OrgoError(
        'ORGO_BAD_SETTING',
        `${where} does not offer the requested format${said}: change sampleRate or channels`,
      );
    case CloseCode.tryAgainLater:
      return failed(`${where} has too many listeners${said}`);
    case CloseCode.policyViolation:
      return failed(`${where} ended the stream because we broke its rules${said}`);
    case CloseCode.goingAway:
      return failed(`The server at ${where} shuts down, or its computer stops${said}`);
    case CloseCode.normal:
    case NO_CODE:
      return failed(`${where} ended the stream${said}`);
    case NO_HANDSHAKE:
      return failed(`The connection to ${where} was lost${said}`);
    default:
      return failed(`${where} ended the stream with code ${code}${said}`);
  }
}

/** What it means when the server answers HTTP instead of opening a WebSocket. */
export function upgradeError(status: number, where: string): OrgoError {
  switch (status) {
    case 401:
      return closeError(CloseCode.badToken, `HTTP ${status}`, where);
    case 404:
      return closeError(CloseCode.notFound, `HTTP ${status}`, where);
    default:
      return status >= 300 && status < 400
        ? failed(`${where} redirects (HTTP ${status}), where the password must not follow: check the address`)
        : failed(`${where} answered HTTP ${status} instead of opening a WebSocket: check the address`);
  }
}

function failed(text: string): OrgoError {
  return new OrgoError('ORGO_CONNECTION_FAILED', text);
}
