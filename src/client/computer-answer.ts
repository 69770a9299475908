/** Reads what the API says about a computer: whether it runs, where its sound is, and the token. */
import { OrgoError } from '../audio/errors';
import { CONNECTION_AUDIO_PATH } from '../protocol/urls';
import { addressText } from '../network/network-error';

/** A computer that may be running, as "get computer" describes it. */
export interface ComputerAnswer {
  /** The audio WebSocket's address; undefined if the API gives none. */
  readonly audioUrl: URL | undefined;
  /** Undefined if the answer has none. */
  readonly token: string | undefined;
}

/** By the API's `status`: whether the computer will run soon, or not until someone starts it. */
const STARTING: ReadonlySet<string> = new Set(['creating', 'starting', 'restarting']);
const DOWN: ReadonlySet<string> = new Set(['stopping', 'stopped', 'suspended', 'deleting', 'error']);

/**
 * @throws OrgoError `ORGO_COMPUTER_STARTING` or `ORGO_COMPUTER_NOT_RUNNING` if its status says so;
 * `ORGO_BAD_ADDRESS` if its `connection_url` is not safe to use
 */
export function readComputerAnswer(apiUrl: URL, answer: Readonly<Record<string, unknown>>): ComputerAnswer {
  const status = textOf(answer['status']) ?? '';
  if (STARTING.has(status)) {
    throw new OrgoError(
      'ORGO_COMPUTER_STARTING',
      `The computer is not ready yet, the API calls it “${status}”: we keep trying`,
    );
  }
  if (DOWN.has(status)) {
    throw new OrgoError(
      'ORGO_COMPUTER_NOT_RUNNING',
      `The computer is not running, the API calls it “${status}”: start it; we keep trying`,
    );
  }
  const connectionUrl = textOf(answer['connection_url']);
  return {
    audioUrl: connectionUrl === undefined ? undefined : audioUrlOf(apiUrl, connectionUrl),
    token: textOf(answer['desktop_api_token']) ?? textOf(answer['vnc_password']),
  };
}

/**
 * The audio WebSocket's address below `connectionUrl`. The password goes there, so it must be as safe as
 * the connection to the API.
 */
function audioUrlOf(apiUrl: URL, connectionUrl: string): URL {
  if (!URL.canParse(connectionUrl)) throw refused('text that is not an address', 'an address');
  const url = new URL(connectionUrl);
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  const plain = url.protocol === 'http:' || url.protocol === 'ws:';
  if (!secure && !(plain && apiUrl.protocol !== 'https:')) {
    const wanted = apiUrl.protocol === 'https:' ? 'https:// or wss://' : 'https://, wss://, http:// or ws://';
    throw refused(addressText(url), `an address that begins with ${wanted}, since the password goes there`);
  }
  if (url.username !== '' || url.password !== '') {
    throw refused(`${addressText(url)} with a user name or password in it`, 'an address without them');
  }
  url.protocol = secure ? 'wss:' : 'ws:';
  url.hash = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${CONNECTION_AUDIO_PATH}`;
  return url;
}

function refused(came: string, wanted: string): OrgoError {
  return new OrgoError(
    'ORGO_BAD_ADDRESS',
    `The API says that the computer is at ${came}, where no password is sent: it must be ${wanted}; check apiUrl`,
  );
}

/** `value` if it is a text that is not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
