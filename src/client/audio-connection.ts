/** One audio WebSocket, from its handshake to its end: reads the protocol and reports what arrives. */
import WebSocket, { type RawData } from 'ws';
import type { Clock } from '../audio/clock';
import { OrgoError } from '../audio/errors';
import { formatText, type PcmFormat } from '../audio/format';
import { CloseCode } from '../protocol/close-codes';
import {
  parseServerMessage,
  type ClockMessage,
  type ServerMessage,
  type Started,
} from '../protocol/messages';
import { formatStreamQuery, STREAM_PARAMETERS, type StreamChoice } from '../protocol/stream-format';
import { closeError, upgradeError } from './close-error';
import { offerOf, type HeardFormat, type Offer } from './heard-format';
import { redact } from '../network/redact';
import { Heartbeat } from '../network/heartbeat';
import { addressText, networkError } from '../network/network-error';
import type { Environment } from '../network/proxy';
import { webSocketConnector, type TlsOptions } from '../network/tunnel';

/** The handshake may take this long. */
const HANDSHAKE_LIMIT_MS = 10_000;
/** From the handshake to `started`: a server may put off the rejection of a wrong token by 30 s. */
const STARTED_LIMIT_MS = 45_000;
/** From our close frame to the server's. */
const CLOSE_LIMIT_MS = 2000;
/** The largest frame taken: 5 s of 48 kHz stereo. */
const MAX_FRAME_BYTES = 1024 * 1024;
/** The protocol has no longer texts. */
const MAX_TEXT_LENGTH = 16 * 1024;
export interface ConnectionOptions {
  /** Without our own parameters. */
  readonly url: URL;
  readonly token: string;
  /** What to ask for. */
  readonly format: PcmFormat;
  /** What to ask for by our extension; left out: nothing. */
  readonly choice?: StreamChoice | undefined;
  readonly tls?: TlsOptions;
  /** Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read; left out: this process's. */
  readonly env?: Environment;
  readonly clock: Clock;
}

/** Receives what arrives on a connection, synchronously. */
export interface ConnectionSink {
  /** The server took the WebSocket; whether it takes the token shows later. */
  onOpen?(): void;
  /** Audio follows, as it says. Called again if the server changes it. */
  onStarted(offer: Offer): void;
  onClock(message: ClockMessage): void;
  onAudio(data: Buffer): void;
  /** The server broke a rule, but the connection goes on. Called once for each rule. */
  onNotice(notice: OrgoError): void;
  /** The connection ended: called once, and last. `error` is undefined after {@link AudioConnection.close}. */
  onEnd(error: OrgoError | undefined, closeCode: number | undefined): void;
}

type Phase =
  /** Until the handshake is done. */
  | { readonly kind: 'connecting'; readonly cancelLimit: () => void }
  /** Until `started`. */
  | { readonly kind: 'open'; readonly cancelLimit: () => void; readonly heartbeat: Heartbeat }
  | { readonly kind: 'started'; readonly format: HeardFormat; readonly heartbeat: Heartbeat }
  /** `onEnd` was called; the socket may still be closing. */
  | { readonly kind: 'ended' };

export class AudioConnection {
  /** Resolves once the socket is gone. */
  readonly closed: Promise<void>;
  private readonly socket: WebSocket;
  private readonly where: string;
  private readonly noticed = new Set<string>();
  /** Aborts a tunnel through a proxy that is still opening. */
  private readonly tunnel = new AbortController();
  private phase: Phase;
  /** The last `error` message, which says more than the close code that follows. */
  private serverText = '';

  /** Starts the handshake at once. */
  constructor(
    private readonly options: ConnectionOptions,
    private readonly sink: ConnectionSink,
  ) {
    this.where = addressText(options.url);
    this.socket = new WebSocket(requestUrl(options), {
      ...options.tls,
      ...webSocketConnector(options.url, options.tls ?? {}, options.env, this.tunnel.signal),
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
    });
    const cancelLimit = options.clock.after(HANDSHAKE_LIMIT_MS, () => this.timeOut(HANDSHAKE_LIMIT_MS));
    this.phase = { kind: 'connecting', cancelLimit };
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.listen();
  }

  /** Sends `stop` and closes. The sink's `onEnd` is called at once; {@link closed} resolves when the socket is gone. */
  close(): void {
    if (this.phase.kind === 'ended') return;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send('{"type":"stop"}');
    this.end(undefined, undefined);
  }

  private listen(): void {
    const { socket } = this;
    socket.on('open', () => this.opened());
    socket.on('message', (data, isBinary) => this.received(data, isBinary));
    socket.on('ping', () => this.heartbeat?.sawLife());
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      this.end(upgradeError(response.statusCode ?? 0, this.where), undefined);
    });
    socket.on('error', (error) => this.failed(error));
    socket.on('close', (code, reason) => {
      const text = this.serverText === '' ? this.redacted(reason.toString()) : this.serverText;
      this.end(closeError(code, text, this.where), code);
    });
  }

  private get heartbeat(): Heartbeat | undefined {
    return this.phase.kind === 'open' || this.phase.kind === 'started' ? this.phase.heartbeat : undefined;
  }

  private opened(): void {
    if (this.phase.kind !== 'connecting') return;
    this.phase.cancelLimit();
    const { clock } = this.options;
    this.phase = {
      kind: 'open',
      cancelLimit: clock.after(STARTED_LIMIT_MS, () => this.timeOut(STARTED_LIMIT_MS)),
      heartbeat: new Heartbeat(
        clock,
        () => this.socket.send('{"type":"ping"}'),
        () =>
          this.end(
            new OrgoError(
              'ORGO_CONNECTION_DEAD',
              `${this.where} answers no ping and sends no audio any more`,
            ),
            undefined,
          ),
      ),
    };
    this.sink.onOpen?.();
  }

  private received(data: RawData, isBinary: boolean): void {
    if (!Buffer.isBuffer(data)) return;
    this.heartbeat?.sawLife();
    if (!isBinary) {
      if (this.phase.kind !== 'ended') this.receivedText(data);
    } else if (this.phase.kind === 'started') {
      this.sink.onAudio(data);
    } else if (this.phase.kind === 'open') {
      this.notice(
        'early',
        `${this.where} sent audio before "started": it is dropped, since its format is not known`,
      );
    }
  }

  private receivedText(data: Buffer): void {
    const text = data.length > MAX_TEXT_LENGTH ? '' : data.toString();
    const message = parseServerMessage(text);
    if (message) this.receivedMessage(message);
    else
      this.notice('text', `${this.where} sent a text that is not in the protocol: “${this.redacted(text)}”`);
  }

  private receivedMessage(message: ServerMessage): void {
    switch (message.type) {
      case 'started':
        this.started(message);
        break;
      case 'clock':
        if (this.phase.kind === 'started') this.sink.onClock(message);
        break;
      case 'error':
        this.serverText = this.redacted(message.message);
        this.notice('error', `${this.where} says: “${this.serverText}”`);
        break;
      case 'pong':
        break;
    }
  }

  private started(message: Started): void {
    const offer = offerOf(message, this.options.choice?.codec ?? 'pcm');
    if (!offer) {
      const codec = message.codec ? `, ${message.codec}` : '';
      const offered = `${message.sample_rate} Hz, ${message.channels} channels${codec}`;
      this.end(this.violation(`announced a format that can't be used: ${offered}`), undefined);
      return;
    }
    const { format } = offer;
    switch (this.phase.kind) {
      case 'open':
        this.phase.cancelLimit();
        break;
      case 'started':
        this.notice('started', `${this.where} sent "started" again: ${formatText(format)}`);
        if (formatText(format) === formatText(this.phase.format)) return;
        break;
      case 'connecting':
      case 'ended':
        return;
    }
    this.phase = { kind: 'started', format, heartbeat: this.phase.heartbeat };
    this.sink.onStarted(offer);
  }

  private timeOut(ms: number): void {
    const missing = this.phase.kind === 'connecting' ? 'did not open a WebSocket' : 'sent no "started"';
    this.end(
      new OrgoError(
        'ORGO_CONNECTION_FAILED',
        `${this.where} ${missing} within ${ms / 1000} s: check the address`,
      ),
      undefined,
    );
  }

  private failed(error: Error): void {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    const { url, token } = this.options;
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      this.end(this.violation(`sent a frame of more than ${MAX_FRAME_BYTES} bytes`), CloseCode.messageTooBig);
    } else if (code.startsWith('WS_ERR_')) {
      this.end(this.violation(`broke the WebSocket protocol: ${this.redacted(error.message)}`), undefined);
    } else {
      this.end(networkError('ORGO_CONNECTION_FAILED', url, error, [token]), undefined);
    }
  }

  private end(error: OrgoError | undefined, closeCode: number | undefined): void {
    if (this.phase.kind === 'ended') return;
    if (this.phase.kind !== 'started') this.phase.cancelLimit();
    this.heartbeat?.stop();
    this.phase = { kind: 'ended' };
    this.closeSocket(error?.code === 'ORGO_CONNECTION_DEAD');
    this.sink.onEnd(error, closeCode);
  }

  private closeSocket(dead: boolean): void {
    const { socket } = this;
    if (socket.readyState === WebSocket.CLOSED) return;
    if (dead || socket.readyState === WebSocket.CONNECTING) {
      this.tunnel.abort();
      socket.terminate();
      return;
    }
    socket.close(CloseCode.normal);
    socket.once(
      'close',
      this.options.clock.after(CLOSE_LIMIT_MS, () => socket.terminate()),
    );
  }

  private notice(rule: string, text: string): void {
    if (this.noticed.has(rule)) return;
    this.noticed.add(rule);
    this.sink.onNotice(new OrgoError('ORGO_PROTOCOL_VIOLATION', text));
  }

  private violation(what: string): OrgoError {
    return new OrgoError('ORGO_PROTOCOL_VIOLATION', `${this.where} ${what}`);
  }

  private redacted(text: string): string {
    return redact(text, [this.options.token]);
  }
}

function requestUrl({ url, token, format, choice }: ConnectionOptions): URL {
  const asked = new URL(url);
  asked.hash = '';
  for (const ours of STREAM_PARAMETERS) asked.searchParams.delete(ours);
  const kept = asked.search === '' ? '' : `${asked.search}&`;
  asked.search = `${kept}${formatStreamQuery({ token, format, choice, clock: true })}`;
  return asked;
}
