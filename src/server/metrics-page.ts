/** `GET /metrics`, for those who bring its token. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../audio/clock';
import { Secret } from './access';
import { BearerGuard } from './bearer-guard';
import { answerJson } from './http-answer';
import { metricsText, type Measured } from './metrics';

export interface MetricsPageOptions {
  /** The whole path. */
  readonly path: string;
  /** What scrapers send as their bearer. Must not be empty. */
  readonly token: string;
  readonly trustProxy: boolean;
  readonly clock: Clock;
  readonly measure: () => Measured;
}

export class MetricsPage {
  private readonly guard: BearerGuard;

  constructor(private readonly options: MetricsPageOptions) {
    const { token, trustProxy, clock } = options;
    this.guard = new BearerGuard({ secret: new Secret(token), name: 'metrics token', trustProxy, clock });
  }

  /** Whether `pathname` is its own. */
  has(pathname: string): boolean {
    return pathname === this.options.path;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Cache-Control', 'no-store');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      answerJson(response, 405, { error: 'Only GET is answered here' });
      return;
    }
    if (!this.guard.admits(request, response)) return;
    response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(request.method === 'HEAD' ? undefined : metricsText(this.options.measure()));
  }

  /** Gives at once the answers that were put off. */
  close(): void {
    this.guard.close();
  }
}
