/** The stand-in's REST interface and main gateway: who logs in, and which voice channel they are sent to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

export interface Channel {
  readonly id: string;
  readonly type: number;
  readonly guild_id: string;
  readonly name: string;
  permission_overwrites: { id: string; type: number; allow: string; deny: string }[];
}

/** One log-in of one client. */
export interface GatewaySession {
  readonly id: string;
  readonly userId: string;
  socket: WebSocket | undefined;
  connection: Duplex;
  /** In which it has a voice. */
  guildId: string;
  channelId: string | null;
  sequence: number;
}

interface Payload {
  readonly op: number;
  readonly d: Record<string, unknown>;
}

/** View Channel, Connect, Speak. */
export const MAY_SPEAK = String((1n << 10n) | (1n << 20n) | (1n << 21n));
const HEARTBEAT_MS = 41_250;

export interface GatewaySettings {
  /** Bots by their tokens. */
  readonly tokens: Map<string, string>;
  /** Of which every bot is a member. */
  readonly guildIds: readonly string[];
  readonly channels: Channel[];
  rolePermissions: string;
  /** REST answers 429 with this `retry_after`, as many times as said. */
  rateLimit: { times: number; retryAfterS: number };
  /** Where the voice server is, as in VOICE_SERVER_UPDATE. */
  voiceEndpoint: string;
  /** What is never answered: anything at all, a new connection (Hello), or a log-in (Ready). */
  silent: 'everywhere' | 'at-connect' | 'at-login' | undefined;
  /** Voice states are answered, but no voice server is named. */
  withholdVoiceServer: boolean;
  /** Every log-in is closed with this code. */
  refuseWith: number | undefined;
}

export class MainGateway {
  readonly sessions: GatewaySession[] = [];
  readonly requests: { path: string; at: number }[] = [];
  readonly identifies: number[] = [];
  readonly resumes: number[] = [];
  readonly joins: (string | null)[] = [];
  private readonly http: Server;
  private readonly sockets: WebSocketServer;

  constructor(
    readonly settings: GatewaySettings,
    private readonly onLeave: (session: GatewaySession) => void,
  ) {
    this.http = createServer((request, response) => this.onRequest(request, response));
    this.sockets = new WebSocketServer({ server: this.http });
    this.sockets.on('connection', (socket, request) => this.onSocket(socket, request.socket));
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.port}/api`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  /** The newest session of a user. */
  sessionOf(userId: string): GatewaySession {
    const session = this.sessions.findLast((each) => each.userId === userId);
    if (!session) throw new Error(`${userId} has not logged in`);
    return session;
  }

  /** What a moderator does by dragging the bot elsewhere; null disconnects it. */
  place(session: GatewaySession, channelId: string | null): void {
    const before = session.channelId;
    session.channelId = channelId;
    this.dispatch(session, 'VOICE_STATE_UPDATE', {
      ...{ guild_id: session.guildId, channel_id: channelId, user_id: session.userId },
      ...{ session_id: session.id, self_deaf: true, self_mute: false },
    });
    if (channelId === null) {
      if (before !== null) this.onLeave(session);
    } else if (!this.settings.withholdVoiceServer) this.sendVoiceServer(session);
  }

  /** Announces a text frame of 256 bytes, sends three of them, and closes. */
  breakOff(session: GatewaySession): void {
    session.connection.end(Buffer.from([0x81, 126, 1, 0, 0x7b, 0x22, 0x6f]));
  }

  /** As at a change of the voice region. */
  sendVoiceServer(session: GatewaySession): void {
    this.dispatch(session, 'VOICE_SERVER_UPDATE', {
      ...{ token: 'voice-token', guild_id: session.guildId, endpoint: this.settings.voiceEndpoint },
    });
  }

  private get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  private onRequest(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').replace(/^\/api\/v10/, '');
    this.requests.push({ path, at: performance.now() });
    if (this.settings.silent === 'everywhere') return;
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
    const { rateLimit } = this.settings;
    if (rateLimit.times > 0) {
      rateLimit.times--;
      const { retryAfterS } = rateLimit;
      const body = { message: 'You are being rate limited.', retry_after: retryAfterS, global: false };
      answer(429, body, { 'retry-after': String(retryAfterS), via: '1.1 google' });
      return;
    }
    const token = request.headers.authorization?.replace(/^Bot /, '') ?? '';
    if (!this.settings.tokens.has(token)) {
      answer(401, { message: '401: Unauthorized', code: 0 });
      return;
    }
    const [status, body] = this.resource(path);
    answer(status, body);
  }

  private resource(path: string): [number, unknown] {
    const { guildIds, channels, rolePermissions } = this.settings;
    if (path === '/gateway/bot') {
      const limit = { total: 1000, remaining: 999, reset_after: 0, max_concurrency: 1 };
      return [200, { url: `ws://127.0.0.1:${this.port}`, shards: 1, session_start_limit: limit }];
    }
    const channel = channels.find(({ id }) => path === `/channels/${id}`);
    if (channel) return [200, channel];
    const guildId = guildIds.find((id) => path.startsWith(`/guilds/${id}`));
    if (guildId !== undefined && path === `/guilds/${guildId}`)
      return [200, { owner_id: '1', roles: [{ id: guildId, permissions: rolePermissions }] }];
    if (guildId !== undefined) return [200, { roles: [] }];
    return [404, { message: 'Unknown Channel', code: 10003 }];
  }

  private onSocket(socket: WebSocket, connection: Duplex): void {
    const { silent } = this.settings;
    if (silent === 'everywhere' || silent === 'at-connect') return;
    let session: GatewaySession | undefined;
    socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: HEARTBEAT_MS } }));
    socket.on('error', () => socket.terminate());
    socket.on('message', (data: Buffer) => {
      const payload = JSON.parse(data.toString()) as Payload;
      switch (payload.op) {
        case 1:
          socket.send(JSON.stringify({ op: 11 }));
          return;
        case 2:
          session = this.identify(socket, payload.d['token'], connection);
          return;
        case 4:
          if (session) this.onVoiceState(session, payload.d);
          return;
        case 6:
          this.resumes.push(performance.now());
          session = this.sessions.find(({ id }) => id === payload.d['session_id']);
          if (!session) return;
          session.socket = socket;
          session.connection = connection;
          this.dispatch(session, 'RESUMED', {});
      }
    });
  }

  private identify(socket: WebSocket, token: unknown, connection: Duplex): GatewaySession | undefined {
    const { guildIds, silent } = this.settings;
    this.identifies.push(performance.now());
    const userId = this.settings.tokens.get(String(token));
    const code = userId === undefined ? 4004 : this.settings.refuseWith;
    if (code !== undefined || userId === undefined) {
      socket.close(code);
      return undefined;
    }
    if (silent === 'at-login') return undefined;
    const id = `session-${this.sessions.length}`;
    const [guildId = ''] = guildIds;
    const session: GatewaySession = {
      ...{ id, userId, socket, connection, guildId, channelId: null, sequence: 0 },
    };
    this.sessions.push(session);
    this.dispatch(session, 'READY', {
      ...{ v: 10, user: { id: userId }, session_id: id, resume_gateway_url: `ws://127.0.0.1:${this.port}` },
      guilds: guildIds.map((id) => ({ id, unavailable: true })),
    });
    return session;
  }

  private onVoiceState(session: GatewaySession, data: Payload['d']): void {
    const channelId = data['channel_id'];
    session.guildId = String(data['guild_id']);
    const wanted = typeof channelId === 'string' ? channelId : null;
    this.joins.push(wanted);
    this.place(session, wanted);
  }

  private dispatch(session: GatewaySession, type: string, data: unknown): void {
    session.socket?.send(JSON.stringify({ op: 0, t: type, s: ++session.sequence, d: data }));
  }
}
