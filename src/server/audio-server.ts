/** The Orgo audio protocol's server side: judges who connects, and gives those it admits to the broadcast. */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock, type Clock } from '../audio/clock';
import { errorText } from '../audio/errors';
import type { Source, SourceState } from '../capture/source';
import { CloseCode, MAX_MESSAGE_BYTES } from '../protocol/close-codes';
import { parseStreamQuery, tokenOf, type StreamQuery } from '../protocol/stream-format';
import { routeOf, type Route } from '../protocol/urls';
import { originAllowed, Secret, TokenThrottle } from './access';
import { Broadcast } from './broadcast';
import { converse } from './control-messages';
import type { ListenerInfo, ServerEvent, ServerStats } from './events';
import { Listener } from './listener';
import { answerRest, type RestOptions } from './rest';

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
  /** What stands before every path, such as Node-RED's `/red`; empty by default. */
  readonly basePath?: string;
  /** Default 64. */
  readonly maxListeners?: number;
  /** Milliseconds of sound that may wait for a listener. Default 500. */
  readonly maxBacklogMs?: number;
  /** Whether a proxy in front sets `X-Forwarded-For` and `X-Forwarded-Proto`. Default false. */
  readonly trustProxy?: boolean;
  /** Browsers' origins that may connect; empty (default): any. */
  readonly allowedOrigins?: readonly string[];
  readonly onEvent?: (event: ServerEvent) => void;
  readonly onState?: (state: SourceState, sound: boolean) => void;
  readonly clock?: Clock;
}

export const DEFAULT_MAX_LISTENERS = 64;
export const DEFAULT_MAX_BACKLOG_MS = 500;
/** Who does not answer the closing of a server that shuts down is cut off: Node-RED waits for it. */
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
  private readonly throttle: TokenThrottle;
  private readonly broadcast: Broadcast;
  private readonly rest: RestOptions;
  /** Every open WebSocket, admitted or not. */
  private readonly open = new Set<WebSocket>();
  private readonly listeners = new Map<Listener, WebSocket>();
  private readonly counted = { frames: 0, bytes: 0, dropped: 0 };
  private running = true;
  private lastId = 0;

  constructor(private readonly options: AudioServerOptions) {
    if (options.password === '') throw new RangeError('AudioServer: the password is empty');
    this.clock = options.clock ?? systemClock;
    this.secret = new Secret(options.password);
    this.throttle = new TokenThrottle(this.clock);
    this.broadcast = new Broadcast({
      source: options.source,
      clock: this.clock,
      onEvent: (event) => this.emit(event),
      onState: (state, sound) => options.onState?.(state, sound),
    });
    this.rest = {
      apiKey: options.apiKey ? new Secret(options.apiKey) : undefined,
      password: options.password,
      computerId: options.computerId ?? '',
      allowedOrigins: options.allowedOrigins ?? [],
      trustProxy: options.trustProxy ?? false,
      running: () => this.running,
    };
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  /** Whether `url` is of this server: `other` where it is, but names a computer that another one may serve. */
  owns(url: string): 'this' | 'other' | 'no' {
    const route = this.routeOf(url);
    if (!route) return 'no';
    const { computerId = '' } = this.options;
    return route.kind === 'audio' || computerId === '' || route.computerId === computerId ? 'this' : 'other';
  }

  /** Answers an upgrade to a path that is ours (404 where it is not); takes the socket over in any case. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { url = '' } = request;
    const route = this.routeOf(url);
    if (route?.kind !== 'audio' && route?.kind !== 'desktop-audio') {
      refuseUpgrade(socket, 404);
    } else if (!originAllowed(request.headers.origin, this.rest.allowedOrigins)) {
      refuseUpgrade(socket, 403);
    } else {
      this.webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.open.add(webSocket);
        webSocket.on('close', () => this.open.delete(webSocket));
        // ws closes the connection with the right code by itself; its event must only find a listener.
        webSocket.on('error', () => undefined);
        this.judge(request, route, socket, webSocket);
      });
    }
  }

  /** Answers an HTTP request: the REST routes, 404 for all others. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    answerRest(request, response, this.routeOf(request.url ?? ''), this.rest);
  }

  /** Admits listeners again after {@link stop}. */
  start(): void {
    this.running = true;
  }

  /** Closes all listeners with 1001; new ones are rejected with 4404. */
  stop(): void {
    this.running = false;
    for (const listener of this.listeners.keys()) listener.close(CloseCode.goingAway, 'stopped');
    this.broadcast.stop();
  }

  /** What was sent since the last call. */
  takeStats(): ServerStats {
    let backlogMs = 0;
    for (const listener of this.listeners.keys()) {
      backlogMs = Math.max(backlogMs, listener.backlogMs);
      this.count(listener);
    }
    const stats = { ...this.counted, listeners: this.listeners.size, backlogMs, ageMs: this.broadcast.ageMs };
    this.counted.frames = this.counted.bytes = this.counted.dropped = 0;
    return stats;
  }

  /** Closes everything with 1001; resolves when no socket is left. */
  async close(): Promise<void> {
    this.stop();
    this.throttle.close();
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

  private judge(request: IncomingMessage, route: Route, socket: Duplex, webSocket: WebSocket): void {
    const query = new URLSearchParams(splitUrl(request.url ?? '').query);
    const address = this.addressOf(request);
    if (!this.secret.matches(tokenOf(query))) {
      const cancel = this.throttle.reject(address, () =>
        webSocket.close(CloseCode.badToken, 'invalid token'),
      );
      webSocket.on('close', cancel);
      return;
    }
    const { computerId = '' } = this.options;
    const other = route.kind === 'desktop-audio' && computerId !== '' && route.computerId !== computerId;
    if (other || !this.running) {
      webSocket.close(CloseCode.notFound, 'computer not found or not running');
      return;
    }
    let wanted: StreamQuery;
    try {
      wanted = parseStreamQuery(query);
    } catch (error) {
      sendError(webSocket, errorText(error));
      webSocket.close(CloseCode.badParameter, 'bad parameter');
      return;
    }
    if (this.listeners.size >= (this.options.maxListeners ?? DEFAULT_MAX_LISTENERS)) {
      sendError(webSocket, `Too many listeners: ${this.listeners.size} are connected`);
      webSocket.close(CloseCode.tryAgainLater, 'too many listeners');
      return;
    }
    this.admit(wanted, address, socket, webSocket);
  }

  private admit(wanted: StreamQuery, address: string, socket: Duplex, webSocket: WebSocket): void {
    const { sampleRate, channels } = wanted.format;
    const info: ListenerInfo = { id: ++this.lastId, address, sampleRate, channels };
    const listener = new Listener(
      socket,
      webSocket,
      wanted,
      this.options.maxBacklogMs ?? DEFAULT_MAX_BACKLOG_MS,
      this.clock,
    );
    this.listeners.set(listener, webSocket);
    converse(webSocket, listener, this.clock);
    webSocket.on('close', (code) => {
      this.broadcast.remove(listener);
      this.listeners.delete(listener);
      const { dropped } = listener;
      this.count(listener);
      this.emit({ event: 'listener-left', listener: info, listeners: this.listeners.size, code, dropped });
    });
    this.emit({ event: 'listener-connected', listener: info, listeners: this.listeners.size });
    this.broadcast.add(listener);
  }

  private count(listener: Listener): void {
    const { frames, bytes, dropped } = listener.takeStats();
    this.counted.frames += frames;
    this.counted.bytes += bytes;
    this.counted.dropped += dropped;
  }

  private emit(event: ServerEvent): void {
    this.options.onEvent?.(event);
  }

  private routeOf(url: string): Route | undefined {
    const { pathname } = splitUrl(url);
    const { basePath = '', path = '/audio' } = this.options;
    return pathname.startsWith(`${basePath}/`) ? routeOf(pathname.slice(basePath.length), path) : undefined;
  }

  private addressOf(request: IncomingMessage): string {
    const forwarded = this.rest.trustProxy ? request.headers['x-forwarded-for'] : undefined;
    const last = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded)?.split(',').at(-1)?.trim();
    return addressIn(last ?? '') ?? request.socket.remoteAddress ?? '';
  }
}

/** The address in what a proxy wrote, which may be `192.0.2.1:5678` or `[2001:db8::1]:5678` too. */
function addressIn(text: string): string | undefined {
  const address = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return isIP(address) === 0 ? undefined : address;
}

function splitUrl(url: string): { readonly pathname: string; readonly query: string } {
  const mark = url.indexOf('?');
  return mark < 0
    ? { pathname: url, query: '' }
    : { pathname: url.slice(0, mark), query: url.slice(mark + 1) };
}

function sendError(webSocket: WebSocket, message: string): void {
  webSocket.send(JSON.stringify({ type: 'error', message }));
}

/** Cuts the connection behind the answer: a client that never ends its side would hold it, and the port, for ever. */
function refuseUpgrade(socket: Duplex, status: number): void {
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
