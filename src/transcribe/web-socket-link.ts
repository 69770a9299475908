/** One WebSocket to a service: opens it, keeps it alive, and says in words how it ended. */
import WebSocket, { type RawData } from 'ws';
import type { Clock } from '../audio/clock';
import { Heartbeat } from '../network/heartbeat';
import { addressText, networkError } from '../network/network-error';
import type { Environment } from '../network/proxy';
import { webSocketConnector, type TlsOptions } from '../network/tunnel';
import { parseObject } from '../protocol/json';
import { saidBy, ServiceFailure, type FailureKind } from './failure';
import { kindOf, reasonIn } from './http';

/** The largest answer taken. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** From our close frame to the service's. */
const CLOSE_LIMIT_MS = 2000;
/** A dead connection is noticed within 20 s: before the sound that is kept for it runs over. */
const HEARTBEAT = { everyMs: 10_000, answerMs: 10_000 };
/** Of the body of an answer that is no WebSocket, so much is read. */
const MAX_REFUSAL_BYTES = 16 * 1024;

export interface LinkOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly apiKey: string;
  /** The handshake may take so long. */
  readonly timeoutMs: number;
  readonly tls?: TlsOptions | undefined;
  readonly env?: Environment | undefined;
  readonly clock: Clock;
}

export interface LinkSink {
  onOpen(): void;
  onAnswer(message: Readonly<Record<string, unknown>>): void;
  /** What came is no JSON object. */
  onNonsense(what: string): void;
  /** What waited to be sent is gone: more may follow. */
  onDrain(): void;
  /** What a close code of the service's own means. */
  closeMeans(code: number, reason: string): FailureKind | undefined;
  /** Called once, and last, but not after `close`. Undefined: the service closed cleanly. */
  onEnd(failure: ServiceFailure | undefined): void;
}

export class WebSocketLink {
  private readonly socket: WebSocket;
  private readonly tunnel = new AbortController();
  private readonly cancelLimit: () => void;
  private heartbeat: Heartbeat | undefined;
  private ended = false;

  /** Starts the handshake. @throws Error where a certificate or the proxy's address can't be read */
  constructor(
    private readonly options: LinkOptions,
    private readonly sink: LinkSink,
  ) {
    const { url, headers, tls, env, clock, timeoutMs } = options;
    this.socket = new WebSocket(url, {
      ...tls,
      ...webSocketConnector(url, tls ?? {}, env, this.tunnel.signal),
      headers,
      perMessageDeflate: false,
      maxPayload: MAX_ANSWER_BYTES,
    });
    this.cancelLimit = clock.after(timeoutMs, () =>
      this.end(this.said('failed', `no WebSocket opened within ${timeoutMs / 1000} s`)),
    );
    this.listen();
  }

  /** Bytes that wait to be sent. */
  get waitingBytes(): number {
    return this.socket.bufferedAmount;
  }

  send(message: string | Buffer): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(message, () => {
      if (!this.ended) this.sink.onDrain();
    });
  }

  /** Ends it; nothing is reported any more. May be called twice. */
  close(): void {
    this.ended = true;
    this.stop();
    const { socket } = this;
    if (socket.readyState === WebSocket.CONNECTING) {
      this.tunnel.abort();
      socket.terminate();
    } else if (socket.readyState !== WebSocket.CLOSED) {
      socket.close(1000);
      socket.once(
        'close',
        this.options.clock.after(CLOSE_LIMIT_MS, () => socket.terminate()),
      );
    }
  }

  private listen(): void {
    const { socket, sink } = this;
    socket.on('open', () => {
      if (this.ended) return;
      this.cancelLimit();
      this.heartbeat = new Heartbeat(
        this.options.clock,
        () => socket.ping(),
        () => {
          socket.terminate();
          this.end(this.said('failed', 'it answers no ping any more'));
        },
        HEARTBEAT,
      );
      sink.onOpen();
    });
    socket.on('message', (data, isBinary) => this.received(data, isBinary));
    socket.on('pong', () => this.heartbeat?.sawLife());
    socket.on('unexpected-response', (_request, response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      const finish = (): void => this.refused(response.statusCode ?? 0, Buffer.concat(parts).toString());
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes <= MAX_REFUSAL_BYTES) parts.push(part);
        else response.destroy();
      });
      response.on('close', finish);
    });
    socket.on('error', (error) => this.failed(error));
    socket.on('close', (code, reason) => this.closed(code, reason.toString()));
  }

  private received(data: RawData, isBinary: boolean): void {
    if (this.ended || !Buffer.isBuffer(data)) return;
    this.heartbeat?.sawLife();
    const message = isBinary ? undefined : parseObject(data.toString());
    if (message) this.sink.onAnswer(message);
    else this.sink.onNonsense(isBinary ? 'a binary message' : data.toString('utf8', 0, 200));
  }

  private refused(status: number, body: string): void {
    const fields = parseObject(body) ?? {};
    this.end(this.said(kindOf(status, fields), `HTTP ${status} ${reasonIn(fields)}`.trim()));
  }

  private failed(error: Error): void {
    const { url, apiKey } = this.options;
    if ('code' in error && typeof error.code === 'string' && error.code.startsWith('WS_ERR_')) {
      this.end(this.said('failed', `it broke the WebSocket protocol: ${error.message}`));
    } else {
      this.end(
        new ServiceFailure('failed', networkError('ORGO_SERVICE_FAILED', url, error, [apiKey]).message),
      );
    }
  }

  private closed(code: number, reason: string): void {
    if (this.ended) return;
    const kind = this.sink.closeMeans(code, reason);
    if (kind) this.end(this.said(kind, `${reason} (code ${code})`.trim()));
    else if (code === 1000 || code === 1005) this.end(undefined);
    else if (code === 1006)
      this.end(new ServiceFailure('failed', `The connection to ${this.where} was lost`));
    else this.end(this.said(code === 1008 ? 'key' : 'failed', `${reason} (code ${code})`.trim()));
  }

  private end(failure: ServiceFailure | undefined): void {
    if (this.ended) return;
    this.close();
    this.sink.onEnd(failure);
  }

  private stop(): void {
    this.cancelLimit();
    this.heartbeat?.stop();
  }

  private get where(): string {
    return addressText(this.options.url);
  }

  private said(kind: FailureKind, text: string): ServiceFailure {
    return saidBy(this.options, kind, text);
  }
}
