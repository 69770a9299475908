/** What can go wrong between pressing Listen and hearing, in words for whoever listens. */
import { CloseCode, ProxyCloseCode } from '../src/protocol/close-codes';

export type ProblemCode =
  | 'unsupported'
  | 'insecure'
  | 'autoplay'
  | 'bad-address'
  | 'bad-password'
  | 'too-many-listeners'
  | 'not-running'
  | 'no-sound'
  | 'refused'
  | 'server-gone';

/** Why there is no sound. */
export interface Problem {
  readonly code: ProblemCode;
  /** A sentence or two, to be shown as it is. */
  readonly message: string;
  /** Whether the player tries again by itself. */
  readonly retries: boolean;
}

/** Nothing changes by trying again: someone must act first. */
export function finalProblem(code: ProblemCode, message: string): Problem {
  return { code, message, retries: false };
}

function passing(code: ProblemCode, message: string): Problem {
  return { code, message, retries: true };
}

export const AUTOPLAY: Problem = finalProblem(
  'autoplay',
  'The browser plays sound only after a click or a key press on this page: press Listen.',
);

const SERVER_GONE: Problem = passing(
  'server-gone',
  'The server does not answer. Trying again until it is back.',
);

/** @param isSecure whether the page has a secure context: https, or this computer itself */
export function noWorklet(isSecure: boolean): Problem {
  return isSecure
    ? finalProblem(
        'unsupported',
        'This browser is too old to play live sound (it has no AudioWorklet): use a current one.',
      )
    : finalProblem(
        'insecure',
        'Browsers play live sound only on secure pages: open this page by https://, or on the computer itself by http://127.0.0.1.',
      );
}

/**
 * What the end of the connection means.
 * @param code of the WebSocket's closing @param said the server's last error message
 */
export function problemOfClose(code: number, said: string): Problem {
  const quoted = said === '' ? '' : ` The server says: “${said}”.`;
  switch (code) {
    case CloseCode.badToken:
    case ProxyCloseCode.badToken:
      return finalProblem('bad-password', 'The password is wrong.');
    case CloseCode.tryAgainLater:
      return passing('too-many-listeners', `As many listen as the server takes. Trying again.${quoted}`);
    case CloseCode.notFound:
    case ProxyCloseCode.notRunning:
    case ProxyCloseCode.noInstance:
      return passing('not-running', `The computer does not run, or is not there. Trying again.${quoted}`);
    case CloseCode.captureFailed:
      return passing('no-sound', `The computer can’t capture its sound. Trying again.${quoted}`);
    case CloseCode.badParameter:
    case CloseCode.unsupportedData:
    case CloseCode.policyViolation:
    case ProxyCloseCode.badPath:
    case ProxyCloseCode.otherWorkspace:
    case ProxyCloseCode.viewOnly:
    case ProxyCloseCode.secondFactor:
      return finalProblem('refused', `The server refuses to send its sound (code ${code}).${quoted}`);
    default:
      return SERVER_GONE;
  }
}
