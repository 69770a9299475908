/** The REST routes beside the WebSocket: a computer's password and its state, for who holds the API key. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { originAllowed, type Secret } from './access';
import type { Route } from '../protocol/urls';

export interface RestOptions {
  /** The API key; undefined: there are no REST routes. */
  readonly apiKey: Secret | undefined;
  readonly password: string;
  /** The one computer served; empty: any id. */
  readonly computerId: string;
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: boolean;
  readonly running: () => boolean;
}

interface Answer {
  readonly status: number;
  readonly body?: Readonly<Record<string, string>>;
}

const BEARER = /^Bearer +(.+)$/i;
const PREFLIGHT_MAX_AGE_S = 600;

/** Answers one request; `route` is undefined where the path is none of ours. */
export function answerRest(
  request: IncomingMessage,
  response: ServerResponse,
  route: Route | undefined,
  options: RestOptions,
): void {
  const { origin } = request.headers;
  response.setHeader('Vary', 'Origin');
  response.setHeader('Cache-Control', 'no-store');
  if (origin !== undefined && originAllowed(origin, options.allowedOrigins)) {
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Methods', 'GET');
    response.setHeader('Access-Control-Allow-Headers', 'Authorization');
    response.setHeader('Access-Control-Max-Age', String(PREFLIGHT_MAX_AGE_S));
  }
  const { status, body } = judge(request, response, route, options);
  response.statusCode = status;
  if (!body) {
    response.end();
    return;
  }
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}

function judge(
  request: IncomingMessage,
  response: ServerResponse,
  route: Route | undefined,
  options: RestOptions,
): Answer {
  if (!route) return failure(404, 'There is nothing at this path');
  if (route.kind === 'audio' || route.kind === 'desktop-audio') {
    response.setHeader('Upgrade', 'websocket');
    return failure(426, 'This is a WebSocket: connect with ws:// or wss://');
  }
  if (!options.apiKey) return failure(404, 'This server has no API key set, so it has no REST routes');
  if (request.method === 'OPTIONS') return { status: 204 };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD, OPTIONS');
    return failure(405, 'Only GET is answered here');
  }
  const key = BEARER.exec(request.headers.authorization ?? '')?.[1];
  if (key === undefined || !options.apiKey.matches(key)) {
    response.setHeader('WWW-Authenticate', 'Bearer');
    return failure(401, 'The API key is missing or wrong: send it as "Authorization: Bearer {key}"');
  }
  const { computerId } = route;
  if (options.computerId !== '' && computerId !== options.computerId) {
    return failure(404, 'No such computer here');
  }
  if (route.kind === 'password') return { status: 200, body: { password: options.password } };
  const status = options.running() ? 'running' : 'stopped';
  const url = `${originOf(request, options.trustProxy)}/desktops/${encodeURIComponent(computerId)}`;
  return { status: 200, body: { id: computerId, status, connection_url: url } };
}

function failure(status: number, error: string): Answer {
  return { status, body: { error } };
}

/** `wss://host:port` as the client reached us. */
function originOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? request.headers['x-forwarded-proto'] : undefined;
  const secure = forwarded === undefined ? 'encrypted' in request.socket : forwarded === 'https';
  const { localAddress = '127.0.0.1', localPort = 0 } = request.socket;
  return `${secure ? 'wss' : 'ws'}://${request.headers.host ?? `${localAddress}:${localPort}`}`;
}
