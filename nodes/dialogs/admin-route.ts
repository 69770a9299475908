/** What an open dialog asks of the run time: routes of Node-RED's admin API that answer line by line. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText } from '../../src/audio/errors';
import { isJsonObject } from '../../src/protocol/json';
import type { Red } from '../shared/red';

/**
 * Whoever may deploy could do by a deployment all that these routes do: connect anywhere, with a password that is
 * kept here. Nobody else may.
 */
export const PERMISSION = 'flows.write';
/** Of all dialogs together. */
const MOST_AT_ONCE = 8;

export interface DialogRequest {
  /** What the dialog sent. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Sends one line, at once. */
  readonly tell: (line: object) => void;
  /** Aborted when the dialog was closed. */
  readonly signal: AbortSignal;
}

/** What a line says when the work itself failed. */
export interface Failure {
  readonly failure: string;
}

let running = 0;

/**
 * Adds a route that takes a JSON object by POST and answers with a JSON object a line. What `answer` throws is the
 * last line, a {@link Failure}.
 */
export function addDialogRoute(
  RED: Red,
  path: string,
  answer: (request: DialogRequest) => void | Promise<void>,
): void {
  if (RED.settings.httpAdminRoot === false || !RED.httpAdmin) return;
  RED.httpAdmin.use(path, RED.auth.needsPermission(PERMISSION), (request, response, next) => {
    serve(request, response, answer).catch(next);
  });
}

async function serve(
  request: IncomingMessage & { readonly body?: unknown },
  response: ServerResponse,
  answer: (request: DialogRequest) => void | Promise<void>,
): Promise<void> {
  response.setHeader('Cache-Control', 'no-store');
  const { body } = request;
  const refusal = refusalOf(request);
  if (refusal !== undefined || !isJsonObject(body)) {
    response.writeHead(refusal ?? 400).end();
    return;
  }
  const closed = new AbortController();
  response.on('close', () => closed.abort(new Error('the dialog was closed')));
  const tell = (line: object): void => {
    if (!closed.signal.aborted) response.write(`${JSON.stringify(line)}\n`);
  };
  response.setHeader('Content-Type', 'application/x-ndjson');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  // A proxy that gathers the lines would tell them all at the end.
  response.setHeader('X-Accel-Buffering', 'no');
  running += 1;
  try {
    await answer({ body, tell, signal: closed.signal });
  } catch (thrown) {
    tell({ failure: errorText(thrown) } satisfies Failure);
  } finally {
    running -= 1;
    response.end();
  }
}

/** The HTTP status with which a request is refused. A page of another origin can't send this type unasked. */
function refusalOf({ method, headers }: IncomingMessage): number | undefined {
  if (method !== 'POST') return 405;
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) return 415;
  return running >= MOST_AT_ONCE ? 429 : undefined;
}
