/** What the session of one stream is, for both kinds of services. */
import type { Clock } from '../audio/clock';
import type { OrgoError } from '../audio/errors';
import type { PcmFrame } from '../audio/frame';
import type { Emission } from '../audio/transform';
import type { Environment } from '../network/proxy';
import type { TlsOptions } from '../network/tunnel';
import type { ServiceFailure } from './failure';
import type { ServiceOptions } from './service';

export type SessionState =
  /** Nothing is asked of the service. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  /** It failed, and is tried again after `retryInMs`. */
  | { readonly kind: 'waiting'; readonly failure: ServiceFailure; readonly retryInMs: number }
  /** A message asked for it: sound that comes is left out. */
  | { readonly kind: 'disconnected' };

/** What a session does to the world. */
export interface SessionSink {
  /** Words and events, each for its output. */
  emit(emission: Emission): void;
  /** What a user should know of; no message waits for it. */
  report(error: OrgoError): void;
  /** The state, or what the status shows, has changed. */
  changed(): void;
}

export interface SessionOptions {
  readonly options: ServiceOptions;
  /** Sound without final words that is kept at most. */
  readonly maxBufferMs: number;
  /** For one try: to connect, or to answer. */
  readonly timeoutMs: number;
  /** Name of the stream. */
  readonly stream: string;
  readonly tls?: TlsOptions | undefined;
  readonly env?: Environment | undefined;
  readonly clock: Clock;
  /** Uniform in [0, 1), as Math.random. */
  readonly random: () => number;
}

/** The words of one stream, from its first sound to its end. */
export interface Session {
  readonly state: SessionState;
  /** Sound sent to the service, sound sent again not counted, ms. */
  readonly sentMs: number;
  /** Of the last final words. */
  readonly latencyMs: number | undefined;
  /** Takes the next sound. `speech` is what came along with it. @throws OrgoError `ORGO_BAD_INPUT` */
  push(frame: PcmFrame, speech: object | undefined): void;
  /** An utterance, or a file, ends here. */
  border(): void;
  /** A message is over that ended neither. */
  pause(): void;
  /** Speech ended at this position of the input, which may not have come yet: the turn ends there. */
  speechEnd(position: number): void;
  /** Asks for the words of what came so far; resolves when they have left, or will not come. It goes on. */
  finish(): Promise<void>;
  /** As `finish`, and ends for good, as the service wants it. @param withinMs waits at most so long */
  end(withinMs: number): Promise<void>;
  /** Tries at once, whatever it waits for. */
  connect(): void;
  /** Asks for the last words and ends; sound that comes is left out until {@link connect}. */
  disconnect(): void;
  /** Drops everything. May be called twice. */
  close(): void;
  /** Resolves when there is room for more sound of a recording; undefined where there is. */
  ready(): Promise<void> | undefined;
}
