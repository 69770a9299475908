/** The Orgo audio protocol's server side: composes admission, REST and the broadcast into one server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock, type Clock } from '../audio/clock';
import type { OrgoError } from '../audio/errors';
import type { Source, SourceState } from '../capture/source';
import { chooseLibrary } from '../opus/choose-library';
import { CloseCode, MAX_MESSAGE_BYTES } from '../protocol/close-codes';
import { tokenOf } from '../protocol/stream-format';
import { routeOf, type Route } from '../protocol/urls';
import { originAllowed, Secret } from './access';
import { isAudioRoute, isOtherComputer, judge, type Verdict } from './admission';
import { Broadcast } from './broadcast';
import { clientAddress } from './client-address';
import { ControlMessages } from './control-messages';
import type { ListenerInfo, ServerEvent, ServerStats } from './events';
import { GuessThrottle } from './guess-throttle';
import { Listener } from './listener';
import { ListenPage } from './listen-page';
import { opusCheck } from './opus-check';
import { PendingConnections } from './pending-connections';
import { isOwnOrigin, splitUrl } from './public-url';
import { endWith, refuseUpgrade } from './refusals';
import { RestApi } from './rest';
import { SentCount } from './sent-count';
import type { WireStream } from './wire-stream';

export interface AudioServerOptions {
  readonly source: Source;
  /** What listeners send as their token. Must not be empty. */
  readonly password: string;
  /** What REST clients send as their bearer; empty (default): no REST routes. */
  readonly apiKey?: string;
  /** The one computer served; empty (default): any id. */
  readonly computerId?: string;
  /** Path of the audio WebSocket. Default `/audio`. */
  readonly path?: string;
  /** What comes before every path, such as Node-RED's `/red`; empty by default. */
  readonly basePath?: string;
  /** Default 64. */
  readonly maxListeners?: number;
  /** Milliseconds of sound that may wait for a listener. Default 500. */
  readonly maxBacklogMs?: number;
  /** Whether a proxy in front sets `X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and `-Prefix`. Default false. */
  readonly trustProxy?: boolean;
  /** Browsers' origins that may connect; empty (default): any. */
  readonly allowedOrigins?: readonly string[];
  /** Path of the page that plays the sound, such as `/listen`; empty (default): there is none. */
  readonly pagePath?: string;
  readonly onEvent?: (event: ServerEvent) => void;
  readonly onState?: (state: SourceState, sound: boolean) => void;
  /** Called once for each fault that closed some listeners, or none, while the others go on. */
  readonly onError?: (error: OrgoError) => void;
  readonly clock?: Clock;
  /** Throws where no Opus library loads; tests pass their own. */
  readonly chooseOpus?: () => unknown;
}

export const DEFAULT_MAX_LISTENERS = 64;
export const DEFAULT_MAX_BACKLOG_MS = 500;
/** A client that does not answer the closing of a server that shuts down is cut off: Node-RED waits for it. */
const SHUTDOWN_TIMEOUT_MS = 1000;

export class AudioServer {
  private readonly webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    autoPong: false,
  });
  private readonly clock: Clock;
  private readonly secret: Secret;
  private readonly throttle: GuessThrottle;
  private readonly pending: PendingConnections;
  private readonly broadcast: Broadcast;
  private readonly rest: RestApi;
  private readonly page: ListenPage | undefined;
  private readonly allowedOrigins: readonly string[];
  private readonly hasOpus: () => boolean;
  private readonly computerId: string;
  private readonly trustProxy: boolean;
  /** Every open WebSocket, admitted or not. */
  private readonly open = new Set<WebSocket>();
  private readonly sent = new SentCount();
  private running = true;
  private lastId = 0;

  constructor(private readonly options: AudioServerOptions) {
    const { password, apiKey = '', clock = systemClock } = options;
    if (password === '') throw new RangeError('AudioServer: the password is empty');
    this.clock = clock;
    this.secret = new Secret(password);
    this.allowedOrigins = options.allowedOrigins ?? [];
    this.hasOpus = opusCheck(options.chooseOpus ?? chooseLibrary, (error) => options.onError?.(error));
    this.computerId = options.computerId ?? '';
    this.trustProxy = options.trustProxy ?? false;
    this.throttle = new GuessThrottle(clock);
    this.pending = new PendingConnections(clock);
    this.broadcast = new Broadcast({
      source: options.source,
      clock,
      onEvent: (event) => this.emit(event),
      onState: (state, sound) => options.onState?.(state, sound),
      onError: (error) => options.onError?.(error),
    });
    const { basePath = '', path = '/audio', pagePath = '' } = options;
    if (pagePath !== '') {
      const name = this.computerId;
      this.page = new ListenPage({ path: basePath + pagePath, audioPath: basePath + path, name });
    }
    this.rest = new RestApi({
      ...{ password, clock, computerId: this.computerId, basePath: options.basePath ?? '' },
      apiKey: apiKey === '' ? undefined : new Secret(apiKey),
      allowedOrigins: this.allowedOrigins,
      trustProxy: this.trustProxy,
      running: () => this.running,
    });
  }

  get listenerCount(): number {
    return this.broadcast.listeners.size;
  }

  /**
   * How well this server fits `url`, to choose between servers that share a port: `exact` for its own path or the
   * computer that it names, `any` where it serves any computer, `other` for a computer that it does not have.
   */
  fits(url: string): 'exact' | 'any' | 'other' | 'no' {
    const route = this.routeOf(url);
    if (!route) return 'no';
    if (route.kind === 'audio') return 'exact';
    if (isOtherComputer(route, this.computerId)) return 'other';
    return this.computerId === '' ? 'any' : 'exact';
  }

  /** Whether an upgrade to `url` is for the audio WebSocket. */
  isAudioUrl(url: string): boolean {
    return isAudioRoute(this.routeOf(url));
  }

  /** Whether there are REST routes: only with an API key. */
  get hasRest(): boolean {
    return this.rest.hasRoutes;
  }

  /** Counts a connection that was accepted, until it is admitted or closed. Only for a port that is ours alone. */
  handleConnection(socket: Socket): void {
    this.pending.accepted(socket, this.trustProxy ? undefined : (socket.remoteAddress ?? ''));
  }

  /** Answers an upgrade to a path that is ours (404 where it is not); takes the socket over in any case. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { pathname, query } = splitUrl(request.url ?? '');
    const params = new URLSearchParams(query);
    const verdict = judge({
      route: this.routeOf(pathname),
      originAllowed: this.allowsOrigin(request),
      tokenMatches: this.secret.matches(tokenOf(params)),
      query: params,
      computerId: this.computerId,
      running: this.running,
      listeners: this.listenerCount,
      maxListeners: this.options.maxListeners ?? DEFAULT_MAX_LISTENERS,
      choices: () => this.broadcast.choices(),
      hasOpus: this.hasOpus,
    });
    const address = clientAddress(request, this.trustProxy);
    if (verdict.kind !== 'admit') this.pending.judged(request.socket, address);
    if (verdict.kind === 'refuse') {
      refuseUpgrade(socket, verdict.status);
      return;
    }
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.open.add(webSocket);
      webSocket.on('close', () => this.open.delete(webSocket));
      // ws itself closes the connection with the right code; its event only needs a listener.
      webSocket.on('error', () => undefined);
      if (verdict.kind === 'admit') this.pending.admitted(request.socket);
      this.enact(verdict, address, socket, webSocket);
    });
  }

  /** Whether `url` is that of the page that plays the sound, or of one of its files. */
  isPageUrl(url: string): boolean {
    return this.page?.has(splitUrl(url).pathname) ?? false;
  }

  /** Answers an HTTP request: the page, the REST routes, 404 for all others. */
  handleRequest(request: IncomingMessage, response: ServerResponse, url = request.url ?? ''): void {
    if (this.isPageUrl(url)) this.page?.answer(request, response, splitUrl(url).pathname);
    else this.rest.answer(request, response, this.routeOf(url));
  }

  /** Admits listeners again after {@link stop}. */
  start(): void {
    this.running = true;
  }

  /** Closes all listeners with 1001; new ones are rejected with 4404. */
  stop(): void {
    this.running = false;
    for (const listener of this.broadcast.listeners) listener.close(CloseCode.goingAway, 'stopped');
    this.broadcast.stop();
  }

  /** What was sent since the last call. */
  takeStats(): ServerStats {
    const { listeners, ageMs } = this.broadcast;
    return { ...this.sent.take(listeners), listeners: listeners.size, ageMs };
  }

  /** Closes everything with 1001; resolves when no socket is left. */
  async close(): Promise<void> {
    this.stop();
    this.throttle.close();
    this.rest.close();
    this.webSockets.close();
    const closed = [...this.open].map(
      (webSocket) =>
        new Promise<void>((resolve) => {
          const cancel = this.clock.after(SHUTDOWN_TIMEOUT_MS, () => webSocket.terminate());
          webSocket.once('close', () => {
            cancel();
            resolve();
          });
          webSocket.close(CloseCode.goingAway, 'shutting down');
        }),
    );
    await Promise.all(closed);
  }

  private enact(
    verdict: Exclude<Verdict, { kind: 'refuse' }>,
    address: string,
    socket: Duplex,
    webSocket: WebSocket,
  ): void {
    switch (verdict.kind) {
      case 'wrong-token':
        this.rejectToken(address, socket, webSocket);
        break;
      case 'close':
        endWith(webSocket, verdict.code, verdict.reason, verdict.message);
        break;
      case 'admit':
        this.admit(verdict, address, socket, webSocket);
    }
  }

  private rejectToken(address: string, socket: Duplex, webSocket: WebSocket): void {
    const cancel = this.throttle.reject(address, () => webSocket.close(CloseCode.badToken, 'invalid token'));
    webSocket.on('close', cancel);
    if (webSocket.readyState !== webSocket.OPEN) return;
    new ControlMessages(socket, webSocket, this.clock, (code, reason, message) => {
      endWith(webSocket, code, reason, message);
    });
  }

  private admit(
    { stream, clock }: Extract<Verdict, { kind: 'admit' }>,
    address: string,
    socket: Duplex,
    webSocket: WebSocket,
  ): void {
    const info: ListenerInfo = { id: ++this.lastId, address, ...chosenBy(stream) };
    const { maxBacklogMs = DEFAULT_MAX_BACKLOG_MS } = this.options;
    const listener = new Listener({
      ...{ socket, webSocket, stream, sendsClock: clock },
      ...{ maxBacklogMs, clock: this.clock },
    });
    webSocket.on('close', (code) => {
      this.broadcast.remove(listener);
      const { dropped } = listener;
      this.sent.add(listener);
      this.emit({ event: 'listener-left', listener: info, listeners: this.listenerCount, code, dropped });
    });
    this.broadcast.add(listener, () => {
      this.emit({ event: 'listener-connected', listener: info, listeners: this.listenerCount });
    });
  }

  private emit(event: ServerEvent): void {
    this.options.onEvent?.(event);
  }

  /** Our own page may always connect, whatever other origins may. */
  private allowsOrigin(request: IncomingMessage): boolean {
    if (originAllowed(request.headers.origin, this.allowedOrigins)) return true;
    return this.page !== undefined && isOwnOrigin(request, this.trustProxy);
  }

  private routeOf(url: string): Route | undefined {
    const { pathname } = splitUrl(url);
    const { basePath = '', path = '/audio' } = this.options;
    return pathname.startsWith(`${basePath}/`) ? routeOf(pathname.slice(basePath.length), path) : undefined;
  }
}

function chosenBy({ format, bitrate, frameMs }: WireStream): Omit<ListenerInfo, 'id' | 'address'> {
  const { sampleRate, channels } = format;
  return { sampleRate, channels, codec: bitrate === undefined ? 'pcm' : 'opus', frameMs };
}
