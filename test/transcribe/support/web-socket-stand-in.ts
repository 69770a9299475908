/** A streaming service that is not there: lets clients in, and polices what they send as the real one does. */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock } from '../../../src/audio/clock';
import { parseObject } from '../../../src/protocol/json';

/** What one service wants of its clients. */
export interface StandInRules {
  readonly path: string;
  /** The header that carries the key, in lower case, and what must stand in it; undefined: it must not be there. */
  readonly keyHeader: string;
  readonly keyValue: string | undefined;
  /** With a wrong key the socket opens all the same, and the conversation says so; else the answer is HTTP 401. */
  readonly opensWithWrongKey?: boolean;
  /** Bytes of binary messages must be a multiple of this; undefined: none may come. */
  readonly sampleBytes?: number;
  /** So long without any message, and it closes. */
  readonly silenceLimitMs?: number;
  readonly silenceClose?: readonly [code: number, reason?: string];
  converse(caller: Caller): StandInConversation;
}

/** The service's side of one connection. */
export interface StandInConversation {
  /** The socket is open. */
  opened?(): void;
  /** A text that is a JSON object. */
  message(message: Readonly<Record<string, unknown>>): void;
  /** A binary message of whole samples. */
  sound?(data: Buffer): void;
}

/** One connection, as a conversation sees it. */
export class Caller {
  /** What was sent so far, in order: each text, and how many bytes of sound. */
  readonly received: (string | number)[] = [];
  /** Set once the client asked for the end: nothing may follow. */
  isEnding = false;

  constructor(
    readonly socket: WebSocket,
    readonly request: IncomingMessage,
    readonly hasKey: boolean,
    private readonly standIn: WebSocketStandIn,
  ) {}

  get query(): URLSearchParams {
    return new URL(this.request.url ?? '/', 'http://localhost').searchParams;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The client did what the real service would not take. */
  violation(what: string): void {
    this.standIn.violations.push(what);
  }

  /** Tells whoever waits that something happened here. */
  touch(): void {
    this.standIn.emit('event');
  }
}

/** Emits `event` whenever something happens. */
export class WebSocketStandIn extends EventEmitter {
  /** What clients did that the real service would not take. */
  readonly violations: string[] = [];
  readonly callers: Caller[] = [];
  /** Set where a test moves the clock so slowly that messages arrive in between. */
  policesSilence = false;
  /** Towards clients that connect from now on: answers nothing, or closes at once. */
  behaviour: 'working' | 'silent' | 'closing' = 'working';
  private readonly server: Server;
  private readonly sockets: WebSocketServer;
  private port = 0;
  private cancelSilence = new Map<WebSocket, () => void>();

  private constructor(
    private readonly rules: StandInRules,
    private readonly clock: Clock,
  ) {
    super();
    this.server = createServer((_request, response) => response.writeHead(404).end());
    this.sockets = new WebSocketServer({ noServer: true });
    this.server.on('upgrade', (request: IncomingMessage, socket, head) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const hasKey = request.headers[rules.keyHeader] === rules.keyValue;
      if (pathname !== rules.path) socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
      else if (!hasKey && rules.opensWithWrongKey !== true) socket.end(UNAUTHORIZED);
      else {
        this.sockets.handleUpgrade(request, socket, head, (opened) => {
          this.accept(new Caller(opened, request, hasKey, this));
        });
      }
    });
  }

  static async start(rules: StandInRules, clock: Clock, port = 0): Promise<WebSocketStandIn> {
    const standIn = new WebSocketStandIn(rules, clock);
    standIn.server.listen(port, '127.0.0.1');
    await once(standIn.server, 'listening');
    standIn.port = (standIn.server.address() as AddressInfo).port;
    return standIn;
  }

  /** What a user enters as the address. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}${this.rules.path}`;
  }

  /** The connection that was made last. */
  get caller(): Caller | undefined {
    return this.callers.at(-1);
  }

  /** Cuts all connections without a word, and listens no more; `listen` brings it back. */
  async vanish(): Promise<void> {
    for (const { socket } of this.callers) socket.terminate();
    this.server.close();
    await once(this.server, 'close');
  }

  /** Listens again, where it did before. */
  async comeBack(): Promise<void> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async stop(): Promise<void> {
    for (const cancel of this.cancelSilence.values()) cancel();
    for (const { socket } of this.callers) socket.terminate();
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(caller: Caller): void {
    const { socket } = caller;
    this.callers.push(caller);
    if (this.behaviour !== 'working') {
      if (this.behaviour === 'closing') socket.close(1011);
      this.emit('event');
      return;
    }
    const conversation = this.rules.converse(caller);
    this.watchSilence(socket);
    socket.on('message', (data: Buffer, isBinary) => {
      this.watchSilence(socket);
      caller.received.push(isBinary ? data.length : data.toString());
      if (caller.isEnding) caller.violation('a message after the end was asked for');
      if (isBinary) this.sound(caller, conversation, data);
      else this.text(caller, conversation, data.toString());
      this.emit('event');
    });
    socket.on('close', () => {
      this.cancelSilence.get(socket)?.();
      this.emit('event');
    });
    conversation.opened?.();
    this.emit('event');
  }

  private text(caller: Caller, conversation: StandInConversation, text: string): void {
    const message = parseObject(text);
    if (message) conversation.message(message);
    else caller.violation(`a text that is no JSON object: ${text}`);
  }

  private sound(caller: Caller, conversation: StandInConversation, data: Buffer): void {
    const { sampleBytes } = this.rules;
    if (sampleBytes === undefined || !conversation.sound) caller.violation('a binary message');
    else if (data.length === 0 || data.length % sampleBytes > 0)
      caller.violation(`a binary message of ${data.length} bytes`);
    else conversation.sound(data);
  }

  private watchSilence(socket: WebSocket): void {
    const { silenceLimitMs, silenceClose } = this.rules;
    if (silenceLimitMs === undefined || !this.policesSilence) return;
    this.cancelSilence.get(socket)?.();
    this.cancelSilence.set(
      socket,
      this.clock.after(silenceLimitMs, () => socket.close(silenceClose?.[0] ?? 1000, silenceClose?.[1])),
    );
  }
}

const UNAUTHORIZED =
  'HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{"message":"Invalid credentials."}';
