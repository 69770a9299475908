/** Posts forms to a service, and reads the JSON that it answers. */
import { Agent, request, type FormData } from 'undici';
import { networkError } from '../network/network-error';
import { undiciConnector } from '../network/tunnel';
import { parseObject } from '../protocol/json';
import { saidBy, ServiceFailure, type FailureKind, type Named } from './failure';
import { objectAt, textAt, type Fields } from './fields';
import type { Way } from './service';

/** The words of an hour have less. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const SHOWN_LENGTH = 100;

/** An answer of HTTP 200 to 299, or what it refused. */
export type HttpAnswer =
  | { readonly isOk: true; readonly fields: Fields }
  | {
      readonly isOk: false;
      readonly status: number;
      readonly said: string;
      readonly failure: ServiceFailure;
    };

/**
 * Posts `form` on a connection of its own.
 * @throws ServiceFailure where no answer comes, or one that is no JSON
 */
export async function postForm(named: Named, form: FormData, way: Way): Promise<HttpAnswer> {
  const { url, apiKey } = named;
  const connecting = new AbortController();
  const abort = (): void => connecting.abort();
  way.signal.addEventListener('abort', abort, { once: true });
  let agent: Agent | undefined;
  try {
    agent = new Agent({
      connect: undiciConnector(url, way.tls ?? {}, way.env, connecting.signal),
      maxResponseSize: MAX_ANSWER_BYTES,
    });
    const answer = await request(url, {
      method: 'POST',
      headers: { accept: 'application/json', ...(apiKey !== '' && { authorization: `Bearer ${apiKey}` }) },
      body: form,
      dispatcher: agent,
      signal: way.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return read(named, answer.statusCode, answer.headers, await answer.body.text());
  } catch (thrown) {
    if (thrown instanceof ServiceFailure) throw thrown;
    way.signal.throwIfAborted();
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
      throw saidBy(named, 'nonsense', `more than ${MAX_ANSWER_BYTES} bytes`);
    }
    throw new ServiceFailure('failed', networkError('ORGO_SERVICE_FAILED', url, thrown, [apiKey]).message);
  } finally {
    way.signal.removeEventListener('abort', abort);
    // Abort what is still connecting first: the agent waits for it.
    connecting.abort();
    await agent?.destroy();
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function read(named: Named, status: number, headers: Headers, body: string): HttpAnswer {
  const fields = parseObject(body);
  if (status >= 200 && status < 300) {
    if (fields) return { isOk: true, fields };
    throw saidBy(named, 'nonsense', body.slice(0, SHOWN_LENGTH));
  }
  const said = fields ? reasonIn(fields) : '';
  const kind = status >= 300 && status < 400 ? 'refused' : kindOf(status, fields ?? {});
  const failure = saidBy(named, kind, `HTTP ${status} ${said}`.trim(), retryAfterMs(headers));
  return { isOk: false, status, said, failure };
}

/** What a status means; a quota that is used up does not come back in a moment. */
export function kindOf(status: number, fields: Fields = {}): FailureKind {
  if (status === 401 || status === 403) return 'key';
  const isQuota = textAt(objectAt(fields, 'error'), 'code') === 'insufficient_quota';
  if (status >= 500 || status === 408 || (status === 429 && !isQuota)) return 'failed';
  return 'refused';
}

/** What an error says, under one of the usual names. */
export function reasonIn(fields: Fields): string {
  for (const name of ['error', 'message', 'err_msg', 'detail']) {
    const text = textAt(fields, name) ?? textAt(objectAt(fields, name), 'message');
    if (text !== undefined) return text;
  }
  return '';
}

/** Seconds, or a date (RFC 9110 §10.2.3); undefined where the service asks for no wait. */
function retryAfterMs({ 'retry-after': header, date }: Headers): number | undefined {
  if (typeof header !== 'string') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const waitMs = Date.parse(header) - Date.parse(typeof date === 'string' ? date : '');
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}
