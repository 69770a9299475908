/** What a server answers over HTTP beside its WebSocket: the page that plays, the metrics, the REST routes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../audio/clock';
import type { Route } from '../protocol/urls';
import { Secret } from './access';
import { ListenPage } from './listen-page';
import type { Measured } from './metrics';
import { MetricsPage } from './metrics-page';
import { splitUrl } from './public-url';
import { RestApi } from './rest';

export interface HttpOptions {
  /** What listeners send as their token. */
  readonly password: string;
  /** What REST clients send as their bearer; empty: no REST routes. */
  readonly apiKey: string;
  /** What scrapers of the metrics send as their bearer; empty: there are none. */
  readonly metricsToken: string;
  /** The one computer served; empty: any id. */
  readonly computerId: string;
  /** What comes before every path. */
  readonly basePath: string;
  /** Path of the audio WebSocket, of the page (empty: there is none), and of the metrics. */
  readonly audioPath: string;
  readonly pagePath: string;
  readonly metricsPath: string;
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: boolean;
  readonly clock: Clock;
  readonly running: () => boolean;
  readonly measure: () => Measured;
}

export class HttpRoutes {
  private readonly page: ListenPage | undefined;
  private readonly metrics: MetricsPage | undefined;
  private readonly rest: RestApi;

  constructor(options: HttpOptions) {
    const { basePath, audioPath, pagePath, metricsPath, metricsToken, apiKey, computerId: name } = options;
    if (pagePath !== '') {
      this.page = new ListenPage({ path: basePath + pagePath, audioPath: basePath + audioPath, name });
    }
    if (metricsToken !== '') {
      this.metrics = new MetricsPage({ ...options, path: basePath + metricsPath, token: metricsToken });
    }
    this.rest = new RestApi({ ...options, apiKey: apiKey === '' ? undefined : new Secret(apiKey) });
  }

  /** Whether there is a page that plays the sound. */
  get hasPage(): boolean {
    return this.page !== undefined;
  }

  /** Whether there are REST routes: only with an API key. */
  get hasRest(): boolean {
    return this.rest.hasRoutes;
  }

  /** Whether `url` is that of the page, of one of its files, or of the metrics. */
  isPageUrl(url: string): boolean {
    const { pathname } = splitUrl(url);
    return (this.page?.has(pathname) ?? false) || (this.metrics?.has(pathname) ?? false);
  }

  /** Answers a request; with 404 where the path is none of ours. @param route undefined where it has none */
  answer(request: IncomingMessage, response: ServerResponse, url: string, route: Route | undefined): void {
    const { pathname } = splitUrl(url);
    if (this.page?.has(pathname) === true) this.page.answer(request, response, pathname);
    else if (this.metrics?.has(pathname) === true) this.metrics.answer(request, response);
    else this.rest.answer(request, response, route);
  }

  /** Gives at once the answers that were put off. */
  close(): void {
    this.rest.close();
    this.metrics?.close();
  }
}
