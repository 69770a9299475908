/** One connection to a sound server: requests and their replies, pushed messages, samples, and its end. */
import { connect, type Socket } from 'node:net';
import { errorText, OrgoError } from '../../audio/errors';
import type { Clock } from '../../audio/clock';
import { addressText, type PulseAddress } from './address';
import { messagePacket, PacketParser } from './packets';
import {
  COMMAND,
  INVALID_INDEX,
  MIN_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  pulseErrorText,
  PULSE_ERROR,
  VERSION_MASK,
} from './protocol';
import { malformed, TagReader, TagWriter } from './tagstruct';

/** How long each reply may take; connecting counts as part of the first. */
const REPLY_LIMIT_MS = 2000;
const CLIENT_NAME = 'node-red-contrib-orgo-audio';

/** What comes from the server unasked. All are called from the socket's events, never from within a request. */
export interface ConnectionEvents {
  /** A pushed message; `body` is what follows its command and tag. */
  onPush(command: number, body: TagReader): void;
  onAudio(channel: number, bytes: Buffer): void;
  /** The connection is over, reported once; not after {@link PulseConnection.close}. */
  onEnd(error: OrgoError): void;
}

/** The server answered a request with an error. */
export class PulseRequestError extends Error {
  override readonly name = 'PulseRequestError';

  /** @param pulseError one of PulseAudio's PA_ERR_ numbers */
  constructor(readonly pulseError: number) {
    super(pulseErrorText(pulseError));
  }
}

interface Pending {
  readonly resolve: (body: TagReader) => void;
  readonly reject: (error: Error) => void;
  readonly cancelTimer: () => void;
}

/** A command and what writes its arguments. */
export interface PulseRequest {
  readonly command: number;
  readonly write: (args: TagWriter) => void;
}

/** How sockets are made; tests pass their own. */
export type Connect = (address: PulseAddress) => Socket;

export const connectSocket: Connect = (address) =>
  address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host);

/** Requests may be made once {@link authenticate} has resolved. */
export class PulseConnection {
  private readonly socket: Socket;
  private readonly parser: PacketParser;
  private readonly pending = new Map<number, Pending>();
  private negotiated = 0;
  private nextTag = 0;
  private open = true;

  constructor(
    private readonly address: PulseAddress,
    private readonly events: ConnectionEvents,
    private readonly clock: Clock,
    connectTo: Connect = connectSocket,
  ) {
    this.parser = new PacketParser({
      onMessage: (message) => this.onMessage(message),
      onAudio: (channel, bytes) => this.events.onAudio(channel, bytes),
    });
    this.socket = connectTo(address);
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => this.end(this.socketError(error)));
    this.socket.on('close', () => this.end(this.socketError(new Error('it closed the connection'))));
    this.socket.on('data', (bytes) => this.onData(bytes));
  }

  /** Of the protocol, as both sides speak it; 0 before {@link authenticate}. */
  get version(): number {
    return this.negotiated;
  }

  /**
   * Presents the cookie and our name.
   * @throws {OrgoError} ORGO_SOUND_ACCESS_DENIED, ORGO_NO_SOUND_SERVER or ORGO_SOUND_SERVER_FAILED
   */
  async authenticate(cookie: Buffer): Promise<void> {
    try {
      const reply = await this.request(COMMAND.auth, (w) => w.u32(PROTOCOL_VERSION).arbitrary(cookie));
      this.negotiated = Math.min(reply.u32() & VERSION_MASK, PROTOCOL_VERSION);
    } catch (error) {
      if (isRequestError(error, PULSE_ERROR.access, PULSE_ERROR.authKey)) throw accessDenied(this.address);
      throw error;
    }
    if (this.version < MIN_PROTOCOL_VERSION) {
      throw new OrgoError(
        'ORGO_SOUND_SERVER_FAILED',
        `The sound server at ${addressText(this.address)} speaks protocol version ${this.version}; ${MIN_PROTOCOL_VERSION} or later is needed (PulseAudio 2 or PipeWire).`,
      );
    }
    const name = new Map([['application.name', Buffer.from(`${CLIENT_NAME}\0`)]]);
    await this.request(COMMAND.setClientName, (w) => w.proplist(name));
  }

  /**
   * Sends a request and returns what stands in its reply.
   * @throws {PulseRequestError} the server answered with an error
   * @throws {OrgoError} the connection ended, or no reply came in 2 s
   */
  request(command: number, write: (args: TagWriter) => void = () => undefined): Promise<TagReader> {
    return this.requestAll([{ command, write }])[0] ?? Promise.reject(new RangeError('no request'));
  }

  /** Sends several requests in one write, so that the server gets all of them or none. */
  requestAll(requests: readonly PulseRequest[]): Promise<TagReader>[] {
    const packets: Buffer[] = [];
    const replies = requests.map(({ command, write }) => {
      const tag = this.nextTag++;
      const message = new TagWriter().u32(command).u32(tag);
      write(message);
      packets.push(messagePacket(message.done()));
      return this.reply(tag);
    });
    if (this.open) this.socket.write(Buffer.concat(packets));
    return replies;
  }

  /** Ends the connection at once; requests that wait are rejected. May be called twice. */
  close(): void {
    this.shut(
      new OrgoError('ORGO_NO_SOUND_SERVER', `The connection to ${addressText(this.address)} was closed.`),
    );
  }

  private reply(tag: number): Promise<TagReader> {
    return new Promise((resolve, reject) => {
      if (!this.open) {
        reject(noServer(this.address, 'the connection is closed'));
        return;
      }
      const cancelTimer = this.clock.after(REPLY_LIMIT_MS, () => {
        this.end(noServer(this.address, `no reply within ${REPLY_LIMIT_MS} ms`));
      });
      this.pending.set(tag, { resolve, reject, cancelTimer });
    });
  }

  private onData(bytes: Buffer): void {
    if (!this.open) return;
    try {
      this.parser.push(bytes);
    } catch (error) {
      this.end(asOrgoError(error));
    }
  }

  private onMessage(message: Buffer): void {
    // A message may close the connection, and others may follow it in the same read.
    if (!this.open) return;
    const body = new TagReader(message);
    const command = body.u32();
    const tag = body.u32();
    if (tag === INVALID_INDEX) {
      this.events.onPush(command, body);
      return;
    }
    const waiting = this.pending.get(tag);
    if (!waiting) throw malformed(`a reply to request ${tag}, which was not made`);
    // What is malformed throws before the request is taken off the list, so that its end rejects it.
    const refusal = command === COMMAND.error ? new PulseRequestError(body.u32()) : undefined;
    if (!refusal && command !== COMMAND.reply) throw malformed(`command ${command} in place of a reply`);
    this.pending.delete(tag);
    waiting.cancelTimer();
    if (refusal) waiting.reject(refusal);
    else waiting.resolve(body);
  }

  private end(error: OrgoError): void {
    if (this.shut(error)) this.events.onEnd(error);
  }

  /** Whether it was open. */
  private shut(error: OrgoError): boolean {
    if (!this.open) return false;
    this.open = false;
    this.socket.destroy();
    for (const { reject, cancelTimer } of this.pending.values()) {
      cancelTimer();
      reject(error);
    }
    this.pending.clear();
    return true;
  }

  private socketError(error: Error): OrgoError {
    const code = 'code' in error ? error.code : undefined;
    return code === 'EACCES' || code === 'EPERM'
      ? accessDenied(this.address)
      : noServer(this.address, errorText(error));
  }
}

/** Whether `error` is the server's answer with one of these PA_ERR_ numbers. */
export function isRequestError(error: unknown, ...pulseErrors: number[]): error is PulseRequestError {
  return error instanceof PulseRequestError && pulseErrors.includes(error.pulseError);
}

/** Any error of a connection or request as the package's own. */
export function asOrgoError(error: unknown): OrgoError {
  return error instanceof OrgoError
    ? error
    : new OrgoError('ORGO_SOUND_SERVER_FAILED', `The sound server failed: ${errorText(error)}.`, {
        cause: error,
      });
}

function accessDenied(address: PulseAddress): OrgoError {
  return new OrgoError(
    'ORGO_SOUND_ACCESS_DENIED',
    `The sound server at ${addressText(address)} denied access. Run as the user whose sound server it is, or let PULSE_COOKIE name its cookie file.`,
  );
}

function noServer(address: PulseAddress, why: string): OrgoError {
  return new OrgoError(
    'ORGO_NO_SOUND_SERVER',
    `No sound server answers at ${addressText(address)} (${why}). Start PulseAudio or PipeWire, or set the address.`,
  );
}
