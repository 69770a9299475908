/** Reads the REST API's answers: the object or the token of a good one, an error for any other. */
import { OrgoError, type OrgoErrorCode } from '../audio/errors';
import { parseObject } from '../protocol/json';
import { isWellFormed } from '../protocol/percent-encoding';
import { textOf } from './computer-answer';
import { addressText } from '../network/network-error';
import { redact } from '../network/redact';

/** An answer as it came. */
export interface ApiAnswer {
  readonly status: number;
  /** Of the `Location` header; empty if there is none. */
  readonly location: string;
  readonly text: string;
}

/** The JSON object in the body of a 200. @throws OrgoError `ORGO_API_BAD_ANSWER` if the body is anything else */
export function objectOf(url: URL, body: string): Record<string, unknown> {
  const answer = parseObject(body);
  if (answer) return answer;
  throw badAnswer(url, looksLikeHtml(body) ? 'answered with a web page' : 'answered no JSON object');
}

/** The token in the body of a 200. @throws OrgoError `ORGO_API_BAD_ANSWER` if there is none */
export function passwordOf(url: URL, body: string): string {
  const answer = objectOf(url, body);
  const token = textOf(answer['desktop_api_token']) ?? textOf(answer['password']);
  if (token === undefined) throw badAnswer(url, 'answered without a password');
  return checkedToken(url, token);
}

/** `token`, which has to go into a URL. @throws OrgoError `ORGO_API_BAD_ANSWER` if a URL can't hold it */
export function checkedToken(url: URL, token: string): string {
  if (isWellFormed(token)) return token;
  throw badAnswer(url, 'answered with a password that holds half of a character (a lone surrogate)');
}

/** What an answer other than 200 means. `secrets` never appear in the text. */
export function statusError(url: URL, answer: ApiAnswer, secrets: readonly string[]): OrgoError {
  const { status } = answer;
  if (status >= 300 && status < 400) {
    const target = redirectTarget(url, answer.location);
    return badAnswer(url, `redirects to ${redact(target, secrets)}, where the API key must not follow`);
  }
  const body = parseObject(answer.text) ?? {};
  const [code, advice] = status === 403 ? forbidden(body, secrets) : (MEANINGS[status] ?? UNKNOWN);
  return new OrgoError(code, `${advice} (HTTP ${status}${detailOf(body, secrets)})`);
}

/** The API, or something in its place, broke its own rules. */
export function badAnswer(url: URL, what: string): OrgoError {
  return new OrgoError('ORGO_API_BAD_ANSWER', `${addressText(url)} ${what}: check apiUrl`);
}

type Meaning = readonly [OrgoErrorCode, string];

const MEANINGS: Readonly<Record<number, Meaning>> = {
  400: ['ORGO_API_UNAVAILABLE', 'The computer is not available: start it, or wait until it has started'],
  401: ['ORGO_API_KEY_REJECTED', 'The API key was rejected: enter a valid one'],
  404: ['ORGO_API_NOT_FOUND', 'There is no such computer, or it has no password set: check computerId'],
  409: ['ORGO_API_UNAVAILABLE', 'The computer is busy with another operation: we keep trying'],
  429: ['ORGO_API_UNAVAILABLE', 'Too many requests were made with this API key: we keep trying'],
  503: ['ORGO_API_UNAVAILABLE', 'The API could not reach the desktop: check that the computer runs'],
};
const UNKNOWN: Meaning = ['ORGO_API_BAD_ANSWER', 'The API failed: check apiUrl, or try again later'];

/** 403: not a member, or `{"code": "workspace_scope_mismatch", "key_workspace_id", "target_workspace_id"}`. */
function forbidden(body: Readonly<Record<string, unknown>>, secrets: readonly string[]): Meaning {
  if (body['code'] === 'workspace_scope_mismatch') {
    const named = (field: string): string => redact(textOf(body[field]) ?? 'one it does not name', secrets);
    const key = named('key_workspace_id');
    const target = named('target_workspace_id');
    return [
      'ORGO_API_FORBIDDEN',
      `The API key is of workspace ${key}, but the computer is of workspace ${target}: enter a key of that workspace`,
    ];
  }
  return [
    'ORGO_API_FORBIDDEN',
    'The API key may not use this computer: its owner is no member of the workspace, or it is of another workspace',
  ];
}

/** What the body's `error` and `request_id` say, if they are there. */
function detailOf(body: Readonly<Record<string, unknown>>, secrets: readonly string[]): string {
  const error = textOf(body['error']);
  const requestId = textOf(body['request_id']);
  return [error, requestId === undefined ? undefined : `request ${requestId}`]
    .filter((part) => part !== undefined)
    .map((part) => `, ${redact(part, secrets)}`)
    .join('');
}

function redirectTarget(from: URL, location: string): string {
  return URL.canParse(location, from.href)
    ? addressText(new URL(location, from))
    : 'something that is not an address';
}

function looksLikeHtml(body: string): boolean {
  return body.trimStart().startsWith('<');
}
