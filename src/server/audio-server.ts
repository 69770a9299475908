/** The Orgo audio protocol's server side: composes admission, REST and the broadcast into one server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock, type Clock } from '../audio/clock';
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
import { HttpRoutes } from './http-routes';
import type { Measured } from './metrics';
import { OpenSockets } from './open-sockets';
import {
  DEFAULT_MAX_BACKLOG_MS,
  DEFAULT_MAX_LISTENERS,
  DEFAULT_METRICS_PATH,
  DEFAULT_PATH,
  type AudioServerOptions,
} from './options';
import { opusCheck } from './opus-check';
import { PendingConnections } from './pending-connections';
import { isOwnOrigin, splitUrl } from './public-url';
import { endWith, refuseUpgrade } from './refusals';
import { SentCount } from './sent-count';
import type { WireStream } from './wire-stream';

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
  private readonly http: HttpRoutes;
  private readonly allowedOrigins: readonly string[];
  private readonly hasOpus: () => boolean;
  private readonly computerId: string;
  private readonly trustProxy: boolean;
  private readonly open: OpenSockets;
  private readonly sent = new SentCount();
  /** By HTTP status or close code. */
  private readonly refused = new Map<number, number>();
  private running = true;
  private lastId = 0;

  constructor(private readonly options: AudioServerOptions) {
    const { password, apiKey = '', clock = systemClock } = options;
    if (password === '') throw new RangeError('AudioServer: the password is empty');
    this.clock = clock;
    this.open = new OpenSockets(clock);
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
    this.http = new HttpRoutes({
      ...{ password, apiKey, clock, metricsToken: options.metricsToken ?? '' },
      ...{ computerId: this.computerId, basePath: options.basePath ?? '' },
      audioPath: options.path ?? DEFAULT_PATH,
      pagePath: options.pagePath ?? '',
      metricsPath: options.metricsPath ?? DEFAULT_METRICS_PATH,
      ...{ allowedOrigins: this.allowedOrigins, trustProxy: this.trustProxy },
      running: () => this.running,
      measure: () => this.measure(),
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
    return this.http.hasRest;
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
    if (verdict.kind !== 'admit') {
      this.pending.judged(request.socket, address);
      const code = refusalCode(verdict);
      this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
    }
    if (verdict.kind === 'refuse') {
      refuseUpgrade(socket, verdict.status);
      return;
    }
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.open.add(webSocket);
      // ws itself closes the connection with the right code; its event only needs a listener.
      webSocket.on('error', () => undefined);
      if (verdict.kind === 'admit') this.pending.admitted(request.socket);
      this.enact(verdict, address, socket, webSocket);
    });
  }

  /** Whether `url` is that of the page that plays the sound, of one of its files, or of the metrics. */
  isPageUrl(url: string): boolean {
    return this.http.isPageUrl(url);
  }

  /** Answers an HTTP request: the page, the metrics, the REST routes, 404 for all others. */
  handleRequest(request: IncomingMessage, response: ServerResponse, url = request.url ?? ''): void {
    this.http.answer(request, response, url, this.routeOf(url));
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

  private measure(): Measured {
    const { listeners, ageMs, capture, encodingMs } = this.broadcast;
    return {
      streams: [...listeners].map(({ stream }) => stream),
      maxListeners: this.options.maxListeners ?? DEFAULT_MAX_LISTENERS,
      sent: this.sent.sinceBegin(listeners),
      ...{ ageMs, capture: capture.state, hasSound: capture.hasSound, encodingMs },
      refused: this.refused,
    };
  }

  /** Closes everything with 1001; resolves when no socket is left. */
  async close(): Promise<void> {
    this.stop();
    this.throttle.close();
    this.http.close();
    this.webSockets.close();
    await this.open.close();
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
    return this.http.hasPage && isOwnOrigin(request, this.trustProxy);
  }

  private routeOf(url: string): Route | undefined {
    const { pathname } = splitUrl(url);
    const { basePath = '', path = DEFAULT_PATH } = this.options;
    return pathname.startsWith(`${basePath}/`) ? routeOf(pathname.slice(basePath.length), path) : undefined;
  }
}

function chosenBy({ format, codec, frameMs }: WireStream): Omit<ListenerInfo, 'id' | 'address'> {
  const { sampleRate, channels } = format;
  return { sampleRate, channels, codec, frameMs };
}

/** The HTTP status or close code with which a client is refused. */
function refusalCode(verdict: Exclude<Verdict, { kind: 'admit' }>): number {
  switch (verdict.kind) {
    case 'refuse':
      return verdict.status;
    case 'wrong-token':
      return CloseCode.badToken;
    case 'close':
      return verdict.code;
  }
}
