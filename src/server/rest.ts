/** The REST routes beside the WebSocket: a computer's address, state and password, for clients with the API key. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../audio/clock';
import { desktopPath, type Route } from '../protocol/urls';
import { originAllowed, type Secret } from './access';
import { isOtherComputer } from './admission';
import { BearerGuard } from './bearer-guard';
import { answerJson } from './http-answer';
import { publicUrl } from './public-url';

export interface RestOptions {
  /** The API key; undefined: there are no REST routes. */
  readonly apiKey: Secret | undefined;
  readonly password: string;
  /** The one computer served; empty: any id. */
  readonly computerId: string;
  /** What comes before every path, such as Node-RED's `/red`. */
  readonly basePath: string;
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: boolean;
  readonly running: () => boolean;
  readonly clock: Clock;
}

interface Answer {
  readonly status: number;
  readonly body?: Readonly<Record<string, string>>;
}

const PREFLIGHT_MAX_AGE_S = 600;

export class RestApi {
  /** Wrong keys count apart from wrong tokens: neither makes the other wait. */
  private readonly guard: BearerGuard | undefined;

  constructor(private readonly options: RestOptions) {
    const { apiKey: secret, trustProxy, clock } = options;
    this.guard = secret && new BearerGuard({ secret, name: 'API key', trustProxy, clock });
  }

  /** Whether there are REST routes at all. */
  get hasRoutes(): boolean {
    return this.guard !== undefined;
  }

  /** Answers one request; `route` is undefined where the path is none of ours. */
  answer(request: IncomingMessage, response: ServerResponse, route: Route | undefined): void {
    const { origin } = request.headers;
    response.setHeader('Vary', 'Origin');
    response.setHeader('Cache-Control', 'no-store');
    if (origin !== undefined && originAllowed(origin, this.options.allowedOrigins)) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Allow-Methods', 'GET');
      response.setHeader('Access-Control-Allow-Headers', 'Authorization');
      response.setHeader('Access-Control-Max-Age', String(PREFLIGHT_MAX_AGE_S));
    }
    const answer = this.judge(request, response, route);
    if (answer) answerJson(response, answer.status, answer.body);
  }

  /** Gives at once the answers that were put off: a server that closes must not leave requests open. */
  close(): void {
    this.guard?.close();
  }

  /** What is answered; undefined where that is done already, since the key is wrong. */
  private judge(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route | undefined,
  ): Answer | undefined {
    const { computerId } = this.options;
    if (!route) return failure(404, 'There is nothing at this path');
    if (route.kind === 'audio' || route.kind === 'desktop-audio') {
      response.setHeader('Upgrade', 'websocket');
      return failure(426, 'This is a WebSocket: connect with ws:// or wss://');
    }
    if (!this.guard) return failure(404, 'This server has no API key set, so it has no REST routes');
    if (request.method === 'OPTIONS') return { status: 204 };
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD, OPTIONS');
      return failure(405, 'Only GET is answered here');
    }
    if (!this.guard.admits(request, response)) return undefined;
    if (isOtherComputer(route, computerId)) return failure(404, 'No such computer here');
    const { password } = this.options;
    if (route.kind === 'password') return { status: 200, body: { password } };
    return { status: 200, body: this.describe(request, route.computerId) };
  }

  /** A computer as today's hosted service describes one. The id is its own instance: there is one of each. */
  private describe(request: IncomingMessage, id: string): Record<string, string> {
    const { password, basePath, trustProxy, running } = this.options;
    const url = publicUrl(request, trustProxy);
    const base = url.pathname === '/' ? '' : url.pathname;
    return {
      id,
      instance_id: id,
      status: running() ? 'running' : 'stopped',
      hostname: url.hostname,
      connection_url: `${url.origin}${base}${basePath}${desktopPath(id)}`,
      vnc_password: password,
    };
  }
}

function failure(status: number, error: string): Answer {
  return { status, body: { error } };
}
