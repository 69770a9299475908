/** What one connection to a streaming service is given, and what it reports. */
import type { Clock } from '../audio/clock';
import type { Environment } from '../network/proxy';
import type { TlsOptions } from '../network/tunnel';
import type { ServiceFailure } from './failure';
import type { Heard } from './heard';
import type { ServiceOptions, StreamService, TurnSpan } from './service';
import type { SoundLog } from './sound-log';

export interface ConnectionOptions {
  readonly service: StreamService;
  readonly options: ServiceOptions;
  /** To connect, and for the service to get ready. */
  readonly timeoutMs: number;
  readonly tls?: TlsOptions | undefined;
  readonly env?: Environment | undefined;
  readonly clock: Clock;
  readonly log: SoundLog;
  /** Index in the log of what is sent first. */
  readonly from: number;
  /** Where turns are to end, the earliest first. */
  readonly commits: readonly number[];
}

/** Turns a time of the connection, ms, into an index of the log. */
export type IndexAt = (ms: number) => number;

export interface ConnectionSink {
  onReady(): void;
  /** All sound before this index was sent. */
  onSent(index: number): void;
  onInterim(heard: Heard, indexAt: IndexAt, turn: string | undefined): void;
  onFinal(heard: Heard, indexAt: IndexAt, turn: string | undefined): void;
  onTurn(name: string, span: TurnSpan, indexAt: IndexAt): void;
  /** All words of the sound before this index have come. */
  onSettled(index: number): void;
  onCommitted(): void;
  onNonsense(failure: ServiceFailure): void;
  /** Called once, and last. Undefined: it ended as it should. */
  onEnd(failure: ServiceFailure | undefined): void;
}
