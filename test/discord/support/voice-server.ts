/** The stand-in's voice server: its gateway (version 8) over TLS, and RTP over UDP between the clients. */
import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Certificate } from './certificate';
import { DaveGroup, type GroupMember } from './dave-group';
import { decryptPacket, encryptPacket, type Mode } from './transport-encryption';

/** One packet as it reached the server. */
export interface Received {
  readonly at: number;
  readonly sequence: number;
  readonly timestamp: number;
  /** After transport decryption: end-to-end encrypted, or plain. */
  readonly payload: Buffer;
}

export interface VoiceSettings {
  readonly modes: Mode[];
  /** 1: end-to-end encryption is required; 0: there is none. */
  readonly daveVersion: 0 | 1;
  /** Every new client is closed with this code after it has identified. */
  refuseWith?: number | undefined;
  /** What is never said: anything at all, or which keys are to be used (Session Description). */
  silent?: 'everywhere' | 'at-keys';
  /** Share of packets that are not passed on. */
  loss?: number;
}

interface Payload {
  readonly op: number;
  readonly d: Record<string, unknown>;
}

const HEARTBEAT_MS = 13_750;
const DISCOVERY_BYTES = 74;
const RTP_HEADER = 12;
/** Ids of the MLS group: the channel. */
export type ChannelOf = (userId: string) => bigint;

/** A client's connection. */
export class VoiceClient implements GroupMember {
  readonly ssrc = randomInt(1, 2 ** 31);
  readonly received: Received[] = [];
  readonly speaking: { at: number; on: boolean }[] = [];
  mode: Mode | undefined;
  key = randomBytes(32);
  address: RemoteInfo | undefined;
  counter = 0;
  heartbeats = 0;
  /** Sound came, and the last flag said that there is none. */
  isUnflagged = false;
  private sequence = 0;

  constructor(
    readonly userId: string,
    /** The guild. */
    readonly serverId: string,
    public socket: WebSocket,
    readonly connection: Duplex,
  ) {}

  sendJson(op: number, data: unknown): void {
    this.socket.send(JSON.stringify({ op, seq: ++this.sequence, d: data }));
  }

  sendBinary(op: number, payload: Buffer): void {
    const head = Buffer.alloc(3);
    head.writeUInt16BE(++this.sequence);
    head[2] = op;
    this.socket.send(Buffer.concat([head, payload]));
  }
}

export class VoiceServer {
  readonly clients: VoiceClient[] = [];
  /** Every client that ever identified. */
  readonly everyone: VoiceClient[] = [];
  readonly identifies: number[] = [];
  readonly resumes: number[] = [];
  /** What broke a rule of the protocol. */
  readonly violations: string[] = [];
  readonly group: DaveGroup;
  private readonly https: Server;
  private readonly udp: Socket = createSocket('udp4');

  constructor(
    readonly settings: VoiceSettings,
    certificate: Certificate,
    groupId: bigint,
  ) {
    this.group = new DaveGroup(groupId);
    this.https = createServer({ key: certificate.key, cert: certificate.certificate });
    new WebSocketServer({ server: this.https }).on('connection', (socket, request) => {
      if (request.url !== '/?v=8') this.violations.push(`opened ${request.url ?? ''}`);
      this.onSocket(socket, request.socket);
    });
    this.udp.on('message', (message, from) => this.onDatagram(message, from));
  }

  get endpoint(): string {
    return `localhost:${(this.https.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.https.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => this.udp.bind(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const { socket } of this.everyone) socket.terminate();
    this.https.closeAllConnections();
    this.udp.close();
    await new Promise((resolve) => this.https.close(resolve));
  }

  /** The client of a user that is connected now. */
  clientOf(userId: string): VoiceClient {
    const client = this.clients.findLast((each) => each.userId === userId);
    if (!client) throw new Error(`${userId} is not connected`);
    return client;
  }

  /** Packets of every connection of a user, in order. */
  receivedFrom(userId: string): Received[] {
    return this.everyone.filter((client) => client.userId === userId).flatMap(({ received }) => received);
  }

  /** Announces a text frame of 256 bytes, sends three of them, and closes. */
  breakOff(userId: string): void {
    const { connection } = this.clientOf(userId);
    connection.end(Buffer.from([0x81, 126, 1, 0, 0x7b, 0x22, 0x6f]));
  }

  private onSocket(socket: WebSocket, connection: Duplex): void {
    if (this.settings.silent === 'everywhere') return;
    let client: VoiceClient | undefined;
    socket.send(JSON.stringify({ op: 8, d: { v: 8, heartbeat_interval: HEARTBEAT_MS } }));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      if (client?.socket === socket) this.leave(client);
    });
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        if (client) this.onBinary(client, data);
        return;
      }
      const payload = JSON.parse(data.toString()) as Payload;
      if (payload.op === 0) client = this.identify(socket, connection, payload.d);
      else if (payload.op === 7) client = this.resume(socket);
      else if (client) this.onJson(client, payload);
      else this.violations.push(`opcode ${payload.op} before identify`);
    });
  }

  private identify(socket: WebSocket, connection: Duplex, data: Payload['d']): VoiceClient | undefined {
    this.identifies.push(performance.now());
    if (this.settings.refuseWith !== undefined) {
      socket.close(this.settings.refuseWith);
      return undefined;
    }
    if (data['token'] !== 'voice-token') this.violations.push('identified with a wrong token');
    const client = new VoiceClient(String(data['user_id']), String(data['server_id']), socket, connection);
    const { address, port } = this.udp.address();
    client.sendJson(2, { ssrc: client.ssrc, ip: address, port, modes: this.settings.modes });
    const others = this.clients.map(({ userId }) => userId);
    if (others.length > 0) client.sendJson(11, { user_ids: others });
    for (const other of this.clients) other.sendJson(11, { user_ids: [client.userId] });
    this.clients.push(client);
    this.everyone.push(client);
    return client;
  }

  private resume(socket: WebSocket): VoiceClient | undefined {
    this.resumes.push(performance.now());
    const client = this.everyone.at(-1);
    if (!client) return undefined;
    client.socket = socket;
    if (!this.clients.includes(client)) this.clients.push(client);
    client.sendJson(9, null);
    return client;
  }

  private onJson(client: VoiceClient, { op, d }: Payload): void {
    switch (op) {
      case 1: {
        const { mode } = d['data'] as { mode: Mode };
        if (!this.settings.modes.includes(mode)) this.violations.push(`chose ${mode}`);
        client.mode = mode;
        if (this.settings.silent === 'at-keys') return;
        const dave = this.settings.daveVersion;
        client.sendJson(4, { mode, secret_key: [...client.key], dave_protocol_version: dave });
        // Who speaks already, so that a newcomer can tell whose packets these are.
        for (const { userId, ssrc, speaking } of this.clients)
          if (speaking.at(-1)?.on === true) client.sendJson(5, { user_id: userId, ssrc, speaking: 1 });
        if (dave > 0) this.group.welcomeToServer(client);
        return;
      }
      case 3:
        client.heartbeats++;
        client.sendJson(6, { t: d['t'] });
        return;
      case 5:
        // The flag goes over another socket than the sound, and may come later; but before the next end.
        if (client.isUnflagged && d['speaking'] === 0)
          this.violations.push('sound without the speaking flag');
        client.isUnflagged = false;
        client.speaking.push({ at: performance.now(), on: d['speaking'] !== 0 });
        for (const other of this.clients)
          if (other !== client)
            other.sendJson(5, { user_id: client.userId, ssrc: client.ssrc, speaking: d['speaking'] });
        return;
      case 23:
        this.group.onReady(client, Number(d['transition_id']));
        return;
      case 31:
        this.violations.push(`could not take transition ${String(d['transition_id'])}`);
    }
  }

  private onBinary(client: VoiceClient, data: Buffer): void {
    const payload = data.subarray(1);
    if (data[0] === 26) this.group.onKeyPackage(client, payload);
    else if (data[0] === 28) this.group.onCommit(client, payload);
    else this.violations.push(`binary opcode ${data[0] ?? -1}`);
  }

  private leave(client: VoiceClient): void {
    const index = this.clients.indexOf(client);
    if (index < 0) return;
    this.clients.splice(index, 1);
    for (const other of this.clients) other.sendJson(13, { user_id: client.userId });
    if (this.settings.daveVersion > 0) this.group.leave(client);
  }

  private onDatagram(message: Buffer, from: RemoteInfo): void {
    if (message.length === DISCOVERY_BYTES && message.readUInt16BE(0) === 1) {
      const answer = Buffer.from(message);
      answer.writeUInt16BE(2, 0);
      answer.write(from.address, 8, 'utf8');
      answer.writeUInt16BE(from.port, 72);
      const client = this.everyone.find(({ ssrc }) => ssrc === message.readUInt32BE(4));
      if (client) client.address = from;
      this.udp.send(answer, from.port, from.address);
    } else if (message.length > RTP_HEADER) this.onRtp(message);
  }

  private onRtp(message: Buffer): void {
    const client = this.everyone.find(({ ssrc }) => ssrc === message.readUInt32BE(8));
    if (client?.mode === undefined) return;
    const at = performance.now();
    const [sequence, timestamp] = [message.readUInt16BE(2), message.readUInt32BE(4)];
    const payload = decryptPacket(message, client.mode, client.key);
    this.police(client, sequence, timestamp);
    client.received.push({ at, sequence, timestamp, payload });
    if (Math.random() < (this.settings.loss ?? 0)) return;
    for (const other of this.clients) {
      if (other === client || !other.mode || !other.address) continue;
      const packet = encryptPacket(
        message.subarray(0, RTP_HEADER),
        payload,
        other.mode,
        other.key,
        ++other.counter,
      );
      this.udp.send(packet, other.address.port, other.address.address);
    }
  }

  private police(client: VoiceClient, sequence: number, timestamp: number): void {
    const last = client.received.at(-1);
    if (!last) return;
    if (sequence !== (last.sequence + 1) % 2 ** 16)
      this.violations.push(`sequence ${last.sequence} → ${sequence}`);
    const step = (timestamp - last.timestamp + 2 ** 32) % 2 ** 32;
    if (step % 960 !== 0 || step === 0 || step > 2 ** 31) this.violations.push(`timestamp step ${step}`);
    client.isUnflagged = client.speaking.at(-1)?.on === false;
  }
}
