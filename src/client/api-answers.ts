/** Reads what the REST API answered: the token of a good answer, the error of any other. */
import { OrgoError, type OrgoErrorCode } from '../audio/errors';
import { parseObject } from '../protocol/json';
import { showable } from './foreign-text';
import { addressText } from './network-error';

/** The token in the body of a 200. @throws OrgoError `ORGO_API_BAD_ANSWER` where it holds none */
export function passwordOf(url: URL, body: string): string {
  const answer = parseObject(body);
  if (!answer)
    throw badAnswer(url, looksLikeHtml(body) ? 'answered with a web page' : 'answered no JSON object');
  const token = textOf(answer['desktop_api_token']) ?? textOf(answer['password']);
  if (token === undefined) throw badAnswer(url, 'answered without a password');
  return token;
}

/** What an answer other than 200 means. `secrets` never appear in the text. */
export function statusError(
  url: URL,
  answer: { readonly status: number; readonly location: string; readonly text: string },
  secrets: readonly string[],
): OrgoError {
  const { status } = answer;
  if (status >= 300 && status < 400) {
    const target = redirectTarget(url, answer.location);
    return badAnswer(url, `redirects to ${showable(target, secrets)}, where the API key must not follow`);
  }
  const [code, advice] = MEANINGS[status] ?? UNKNOWN;
  return new OrgoError(code, `${advice} (HTTP ${status}${detailOf(answer.text, secrets)})`);
}

/** The API, or something in its place, broke its own rules. */
export function badAnswer(url: URL, what: string): OrgoError {
  return new OrgoError('ORGO_API_BAD_ANSWER', `${addressText(url)} ${what}: check apiUrl`);
}

const MEANINGS: Readonly<Record<number, readonly [OrgoErrorCode, string]>> = {
  400: ['ORGO_API_UNAVAILABLE', 'The computer is not available: start it, or wait until it has started'],
  401: ['ORGO_API_KEY_REJECTED', 'The API key was rejected: enter a valid one'],
  403: [
    'ORGO_API_FORBIDDEN',
    'The API key may not use this computer: its owner is no member of the workspace, or it is of another workspace',
  ],
  404: ['ORGO_API_NOT_FOUND', 'There is no such computer, or it has no password set: check computerId'],
  409: ['ORGO_API_UNAVAILABLE', 'The computer is busy with another operation: it is tried again'],
  429: ['ORGO_API_UNAVAILABLE', 'Too many requests were made with this API key: it is tried again'],
  503: ['ORGO_API_UNAVAILABLE', 'The API could not reach the desktop: check that the computer runs'],
};
const UNKNOWN: readonly [OrgoErrorCode, string] = [
  'ORGO_API_BAD_ANSWER',
  'The API failed: check apiUrl, or try again later',
];

/** The API's own `{"error", "request_id"}`, where it is one. */
function detailOf(body: string, secrets: readonly string[]): string {
  const answer = parseObject(body);
  const error = textOf(answer?.['error']);
  const requestId = textOf(answer?.['request_id']);
  return [error, requestId === undefined ? undefined : `request ${requestId}`]
    .filter((part) => part !== undefined)
    .map((part) => `, ${showable(part, secrets)}`)
    .join('');
}

function redirectTarget(from: URL, location: string): string {
  return URL.canParse(location, from.href) ? addressText(new URL(location, from)) : 'an address that is none';
}

function looksLikeHtml(body: string): boolean {
  return body.trimStart().startsWith('<');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
