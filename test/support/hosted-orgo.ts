/** A stand-in of the whole hosted service: its REST API, and the proxy in front of its computers. */
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

const API_PATH = /^\/api\/computers\/([^/]+)(\/vnc-password)?$/;
const AUDIO_PATH = /^\/desktops\/([^/]+)\/ws\/audio$/;
const SAMPLE_RATE = 24_000;
const FRAME_MS = 20;
const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1000;
const TONE_HZ = 500;

/** An answer of the API in place of its usual one. */
export interface ApiAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How the proxy ends a connection that it has accepted. */
export interface ProxyClose {
  readonly code: number;
  readonly reason?: string;
}

/** The one computer of the account, as "get computer" describes it; tests change it as they like. */
export interface HostedComputer {
  /** A UUID. */
  readonly id: string;
  name: string;
  status: string;
  /** Eight hex digits; another one after each restart. */
  instanceId: string;
  /** Another one after each restart. */
  password: string;
  /** Of newer images; wanted instead of the password where it is there. */
  desktopApiToken: string | undefined;
  /** Fields of the answer that differ from the usual ones; undefined: left out. */
  overrides: Record<string, unknown>;
  /** Of the tone that plays there; full scale is 1. */
  amplitude: number;
}

/** The service, on a port of this machine. */
export class HostedOrgo {
  readonly apiKey = `sk_live_${randomBytes(12).toString('hex')}`;
  readonly computer: HostedComputer = {
    id: randomUUID(),
    name: 'desk',
    status: 'running',
    instanceId: newInstanceId(),
    password: newPassword(),
    desktopApiToken: undefined,
    overrides: {},
    amplitude: 0.25,
  };
  /** Paths that the API was asked for, in order. */
  readonly asked: string[] = [];
  /** Paths and tokens with which the proxy was called, in order. */
  readonly calls: { readonly path: string; readonly token: string }[] = [];
  /** Answers that come before the usual one, each once. */
  readonly nextAnswers: ApiAnswer[] = [];
  /** What the proxy does with the connections to come, each once; it accepts them first. */
  readonly nextCloses: ProxyClose[] = [];
  private readonly listeners = new Map<WebSocket, NodeJS.Timeout>();
  private readonly changes = new Set<() => void>();
  private readonly http = createServer((request, response) => this.answer(request, response));
  private readonly webSockets = new WebSocketServer({ server: this.http });

  static async start(): Promise<HostedOrgo> {
    const service = new HostedOrgo();
    service.webSockets.on('connection', (socket, request) => service.accept(socket, request));
    service.http.listen(0, '127.0.0.1');
    await once(service.http, 'listening');
    return service;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  get apiUrl(): string {
    return `${this.origin}/api`;
  }

  /** What the computer takes as its token now. */
  get token(): string {
    return this.computer.desktopApiToken ?? this.computer.password;
  }

  /** How many hear the computer now. */
  get listening(): number {
    return this.listeners.size;
  }

  /** The computer is stopped: who hears it is told so. */
  stopComputer(): void {
    this.computer.status = 'stopped';
    this.closeListeners(1001, 'computer stopping');
  }

  /** The computer runs again, elsewhere, with another password. */
  startComputer(): void {
    this.computer.status = 'running';
    this.computer.instanceId = newInstanceId();
    this.computer.password = newPassword();
    if (this.computer.desktopApiToken !== undefined) this.computer.desktopApiToken = newPassword();
  }

  /** Ends all streams. */
  closeListeners(code: number, reason = ''): void {
    for (const socket of this.listeners.keys()) socket.close(code, reason);
  }

  /** Resolves once `holds`, which is looked at with every request and every end of a stream. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.changes.delete(look);
        resolve();
      };
      this.changes.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    for (const timer of this.listeners.values()) clearInterval(timer);
    for (const socket of this.webSockets.clients) socket.terminate();
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = ''] = (request.url ?? '').split('?');
    this.asked.push(path);
    const { status, body, headers } = this.nextAnswers.shift() ?? this.usualAnswer(path, request);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
    this.changed();
  }

  private usualAnswer(path: string, request: IncomingMessage): ApiAnswer {
    const failed = (status: number, error: string): ApiAnswer => {
      return { status, body: { error, request_id: `req_${this.asked.length}` } };
    };
    if (request.headers.authorization !== `Bearer ${this.apiKey}`) return failed(401, 'Invalid API key');
    const [, id, isPassword] = API_PATH.exec(path) ?? [];
    if (id !== this.computer.id) return failed(404, 'Computer not found');
    const { password, desktopApiToken, overrides } = this.computer;
    const newer = desktopApiToken !== undefined && { desktop_api_token: desktopApiToken };
    if (isPassword !== undefined) return { status: 200, body: { password, ...newer } };
    const { name, status, instanceId } = this.computer;
    const body = {
      id,
      name,
      status,
      instance_id: instanceId,
      fly_instance_id: instanceId,
      hostname: `orgo-${instanceId}`,
      connection_url: `${this.origin}/desktops/${instanceId}`,
      vnc_password: password,
      ...newer,
      ...overrides,
    };
    return { status: 200, body };
  }

  /** The proxy: accepts whoever comes, and then says what is wrong by a close code of its own. */
  private accept(socket: WebSocket, request: IncomingMessage): void {
    const url = new URL(request.url ?? '/', this.origin);
    const token = url.searchParams.get('token') ?? '';
    this.calls.push({ path: url.pathname, token });
    const refusal = this.nextCloses.shift() ?? this.refusalOf(url.pathname, token);
    if (refusal) socket.close(refusal.code, refusal.reason);
    else this.stream(socket);
    this.changed();
  }

  private refusalOf(path: string, token: string): ProxyClose | undefined {
    const [, instanceId] = AUDIO_PATH.exec(path) ?? [];
    if (instanceId === undefined) return { code: 4000, reason: 'Unknown path' };
    if (instanceId !== this.computer.instanceId) return { code: 4004, reason: 'Instance not found' };
    if (this.computer.status !== 'running') return { code: 4003, reason: 'Instance not running' };
    return token === this.token ? undefined : { code: 4401, reason: 'Invalid token' };
  }

  /** A tone of 500 Hz, live, until the client stops or leaves. */
  private stream(socket: WebSocket): void {
    socket.send(JSON.stringify({ type: 'started', sample_rate: SAMPLE_RATE, channels: 1 }));
    const frame = toneFrame(this.computer.amplitude);
    const startedAt = performance.now();
    let sent = 0;
    const send = (): void => {
      for (; sent * FRAME_MS <= performance.now() - startedAt; sent++) socket.send(frame);
    };
    this.listeners.set(socket, setInterval(send, FRAME_MS));
    send();
    socket.on('message', (data: Buffer) => {
      const { type } = JSON.parse(data.toString()) as { type: string };
      if (type === 'stop') socket.close(1000);
      else if (type === 'ping') socket.send('{"type":"pong"}');
    });
    socket.once('close', () => {
      clearInterval(this.listeners.get(socket));
      this.listeners.delete(socket);
      this.changed();
    });
  }

  private changed(): void {
    for (const look of [...this.changes]) look();
  }
}

/** One frame that holds whole periods, so that frame after frame is one tone. */
function toneFrame(amplitude: number): Buffer {
  const frame = Buffer.alloc(FRAME_SAMPLES * 2);
  for (let i = 0; i < FRAME_SAMPLES; i++) {
    const sample = amplitude * Math.sin((2 * Math.PI * TONE_HZ * i) / SAMPLE_RATE);
    frame.writeInt16LE(Math.round(sample * 32767), i * 2);
  }
  return frame;
}

function newInstanceId(): string {
  return randomBytes(4).toString('hex');
}

/** With characters that a URL does not take as they are. */
function newPassword(): string {
  return `${randomBytes(9).toString('base64')}+&=?`;
}
