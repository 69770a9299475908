/** Answers of the HTTP routes. */
import type { ServerResponse } from 'node:http';

/** Ends `response` with `body` as JSON; without a body where there is none. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body?: Readonly<Record<string, string>>,
): void {
  response.statusCode = status;
  if (body) response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(body && JSON.stringify(body));
}
