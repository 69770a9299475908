/** Keeps one computer's sound coming: looks up its address, connects, listens, and reconnects when it ends. */
import type { Clock } from '../audio/clock';
import { errorText, OrgoError, type OrgoErrorCode } from '../audio/errors';
import { formatText, isPcm, type PcmFormat } from '../audio/format';
import type { StreamChoice } from '../protocol/stream-format';
import { AudioConnection } from './audio-connection';
import type { Endpoint, EndpointSource } from './endpoint';
import { networkError } from '../network/network-error';
import type { TlsOptions } from '../network/tunnel';
import type { Environment } from '../network/proxy';
import { reactionTo } from './reaction';
import { sameSamples, type HeardFormat, type Offer } from './heard-format';
import { OpusReceiver } from './opus-receiver';
import { Receiver, type Gap } from './receiver';
import { Retry, type NextAttempt } from './retry';
import type { AudioStreamSink, StreamEndReason, StopReason, StreamState } from './stream-events';

/** A stream that ran for this long was a success: the next wait is short again. */
const SUCCESS_MS = 5000;

/** These mean that the server or the network is gone, not that the stream itself failed. */
const LOST: ReadonlySet<OrgoErrorCode> = new Set<OrgoErrorCode>([
  'ORGO_CONNECTION_FAILED',
  'ORGO_CONNECTION_DEAD',
  'ORGO_COMPUTER_NOT_RUNNING',
  'ORGO_NO_SUCH_COMPUTER',
]);

export interface AudioStreamOptions {
  /** Asked before every connection, since address and token change when a computer restarts. */
  readonly endpoints: EndpointSource;
  /** The format to ask for. A server that sends another one is accepted. */
  readonly format: PcmFormat;
  /** What to ask for by our extension; a server that does not know it sends what it has. Left out: nothing. */
  readonly choice?: StreamChoice | undefined;
  readonly frameMs: number;
  readonly fillGaps: boolean;
  /** For the audio WebSocket. */
  readonly tls?: TlsOptions;
  /** Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read; default: this process's. */
  readonly env?: Environment;
  readonly clock: Clock;
  /** Uniform in [0, 1), as Math.random. */
  readonly random: () => number;
}

type Phase =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'authorizing'; readonly abort: AbortController }
  | { readonly kind: 'connecting'; readonly connection: AudioConnection }
  | {
      readonly kind: 'hearing';
      readonly connection: AudioConnection;
      readonly receiver: Receiver | OpusReceiver;
      readonly since: number;
    }
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'refused' };

export class AudioStream {
  private phase: Phase = { kind: 'stopped' };
  private shown: StreamState = { kind: 'stopped' };
  private readonly retry: Retry;
  /** The sockets that are still closing. */
  private readonly closing = new Set<Promise<void>>();

  constructor(
    private readonly options: AudioStreamOptions,
    private readonly sink: AudioStreamSink,
  ) {
    this.retry = new Retry(options.endpoints, options.random);
  }

  get state(): StreamState {
    return this.shown;
  }

  /** Whether position, time and gap are the server's own. */
  get exact(): boolean {
    return this.phase.kind === 'hearing' && this.phase.receiver.exact;
  }

  /** Connects, without finishing a wait. Does nothing if it is already connecting or connected. */
  start(): void {
    switch (this.phase.kind) {
      case 'authorizing':
      case 'connecting':
      case 'hearing':
        return;
      case 'waiting':
        this.phase.cancel();
        break;
      case 'stopped':
      case 'refused':
        break;
    }
    this.retry.reset();
    this.authorize();
  }

  /** Ends the stream at once; resolves when no socket is left. May be called twice. */
  async stop(reason: StopReason): Promise<void> {
    const phase = this.phase;
    this.phase = { kind: 'stopped' };
    switch (phase.kind) {
      case 'authorizing':
        phase.abort.abort(new Error('stopped'));
        break;
      case 'connecting':
        phase.connection.close();
        break;
      case 'hearing':
        this.sink.onEnd({ reason, tail: phase.receiver.flush(), error: undefined, closeCode: undefined });
        phase.connection.close();
        break;
      case 'waiting':
        phase.cancel();
        break;
      case 'stopped':
      case 'refused':
        break;
    }
    this.show({ kind: 'stopped' });
    await Promise.all(this.closing);
  }

  private authorize(): void {
    const abort = new AbortController();
    const phase: Phase = { kind: 'authorizing', abort };
    this.phase = phase;
    this.show({ kind: 'authorizing' });
    const onWait = (_ms: number, wait: OrgoError): void => this.show({ kind: 'authorizing', wait });
    this.options.endpoints.find({ signal: abort.signal, onWait }).then(
      (endpoint) => {
        if (this.phase === phase) this.connect(endpoint);
      },
      (thrown: unknown) => {
        if (this.phase !== phase) return;
        const error = asOrgoError(thrown);
        this.failed(error, this.retry.next(reactionTo(error, undefined), false));
      },
    );
  }

  private connect({ url, token }: Endpoint): void {
    const { format, choice, tls, clock, env } = this.options;
    let connection: AudioConnection;
    try {
      connection = new AudioConnection(
        { url, token, format, choice, clock, ...(tls && { tls }), ...(env && { env }) },
        {
          onStarted: (offer) => this.began(connection, offer),
          onClock: (message) => {
            if (this.phase.kind === 'hearing') this.phase.receiver.announce(message);
          },
          onAudio: (data) => this.heard(data),
          onNotice: (notice) => this.sink.onNotice(notice),
          onEnd: (error, closeCode) => this.ended(connection, error, closeCode),
        },
      );
    } catch (thrown) {
      // A key or certificate that OpenSSL can't read throws here, and so does a bad proxy address.
      const error = networkError('ORGO_CONNECTION_FAILED', url, thrown, [token]);
      this.failed(error, this.retry.next('retry', false));
      return;
    }
    this.phase = { kind: 'connecting', connection };
    this.show({ kind: 'connecting' });
    const closed = connection.closed.then(() => void this.closing.delete(closed));
    this.closing.add(closed);
  }

  private began(connection: AudioConnection, offer: Offer): void {
    const { format } = offer;
    const before = this.phase;
    const receiver = this.receiverFor(offer);
    const phase: Phase = { kind: 'hearing', connection, receiver, since: this.options.clock.now() };
    this.phase = phase;
    if (before.kind === 'hearing') {
      const tail = before.receiver.flush();
      this.sink.onEnd({ reason: 'restarted', tail, error: undefined, closeCode: undefined });
    }
    this.sink.onBegin(format);
    this.show({ kind: 'started', format });
    if (!sameSamples(format, this.options.format))
      this.sink.onNotice(otherFormat(this.options.format, format));
  }

  private receiverFor({ format, preSkip }: Offer): Receiver | OpusReceiver {
    const { clock, frameMs, fillGaps } = this.options;
    const onGap = (gap: Gap): void => this.sink.onGap(gap);
    if (isPcm(format)) return new Receiver({ format, frameMs, fillGaps, clock }, onGap);
    return new OpusReceiver({ format, preSkip, clock }, onGap, (notice) => this.sink.onNotice(notice));
  }

  private heard(data: Buffer): void {
    const phase = this.phase;
    if (phase.kind !== 'hearing') return;
    if (this.shown.kind === 'started') this.show({ kind: 'running', format: phase.receiver.format });
    for (const frame of phase.receiver.push(data)) {
      if (this.phase !== phase) return;
      this.sink.onFrame(frame);
    }
  }

  private ended(
    connection: AudioConnection,
    error: OrgoError | undefined,
    closeCode: number | undefined,
  ): void {
    const phase = this.phase;
    const isOurs =
      (phase.kind === 'connecting' || phase.kind === 'hearing') && phase.connection === connection;
    if (!isOurs || !error) return;
    let lasted = false;
    if (phase.kind === 'hearing') {
      lasted = this.options.clock.now() - phase.since >= SUCCESS_MS;
      if (lasted) this.retry.reset();
      this.sink.onEnd({ reason: reasonOf(error), tail: phase.receiver.flush(), error, closeCode });
      if (this.phase !== phase) return;
    }
    this.failed(error, this.retry.next(reactionTo(error, closeCode), lasted));
  }

  /** There is no stream: tries again as `next` says, or waits to be started. */
  private failed(error: OrgoError, next: NextAttempt): void {
    switch (next.kind) {
      case 'now':
        this.authorize();
        break;
      case 'later': {
        const cancel = this.options.clock.after(next.inMs, () => this.authorize());
        this.phase = { kind: 'waiting', cancel };
        this.show({ kind: 'waiting', error, retryInMs: next.inMs });
        break;
      }
      case 'never':
        this.phase = { kind: 'refused' };
        this.show({ kind: 'refused', error });
        break;
    }
  }

  private show(state: StreamState): void {
    this.shown = state;
    this.sink.onState(state);
  }
}

function otherFormat(asked: PcmFormat, offered: HeardFormat): OrgoError {
  return new OrgoError(
    'ORGO_PROTOCOL_VIOLATION',
    `The server sends ${formatText(offered)}, but ${formatText(asked)} was asked for: its format is used`,
  );
}

function reasonOf(error: OrgoError): StreamEndReason {
  return LOST.has(error.code) ? 'disconnected' : 'error';
}

function asOrgoError(thrown: unknown): OrgoError {
  return thrown instanceof OrgoError
    ? thrown
    : new OrgoError('ORGO_CONNECTION_FAILED', `The computer could not be looked up: ${errorText(thrown)}`);
}
