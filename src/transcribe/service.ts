/** What a service is: the one interface that every file in services/ implements, in one of two kinds. */
import type { Clock } from '../audio/clock';
import type { PcmFormat } from '../audio/format';
import type { Environment } from '../network/proxy';
import type { TlsOptions } from '../network/tunnel';
import type { FailureKind } from './failure';
import type { Heard } from './heard';

/** Who ends a turn: the service, or the `speech-end` of a detector before the node. */
export type Commit = 'service' | 'speech';

/** What a user entered. */
export interface ServiceOptions {
  /** The address that was entered, else the service's own. */
  readonly url: URL;
  readonly apiKey: string;
  /** As the service names it; blank: its default. */
  readonly model: string;
  readonly language: string;
  readonly prompt: string;
  /** Whether words that may still change are wanted. */
  readonly interim: boolean;
  readonly commit: Commit;
}

interface ServiceEntry {
  /** The value of the setting `service`. */
  readonly name: string;
  /** What the dialog calls it. */
  readonly title: string;
  /** Its own address; undefined where one has to be entered. */
  readonly address?: string;
  /** What an address looks like, for the error where none was entered: `ws://host:2700`. */
  readonly addressForm: string;
  /** That an address may begin with, such as `https:`. */
  readonly schemes: readonly string[];
  /** Whether its own address can't be used without a key. */
  readonly needsKey: boolean;
}

/** A service that takes whole utterances, one a request. */
export interface UtteranceService extends ServiceEntry {
  readonly kind: 'utterance';
  /** What it takes: mono. */
  readonly format: PcmFormat;
  /** A shorter utterance is filled up with silence: the service refuses it. 0 */
  readonly minMs?: number;
  /** Made once a node, so that it may remember what the service refused. */
  create(options: ServiceOptions): Transcriber;
}

/** The way to a service. */
export interface Way {
  readonly clock: Clock;
  /** Aborted when the time for one try is up. */
  readonly signal: AbortSignal;
  readonly tls?: TlsOptions | undefined;
  /** Where the proxy's variables are read; this process's. */
  readonly env?: Environment | undefined;
}

export interface Transcriber {
  /**
   * Asks once for the words of `sound`, which has the service's format.
   * @throws ServiceFailure; where `way.signal` was aborted, anything
   */
  transcribe(sound: Buffer, way: Way): Promise<Heard>;
}

/** A service that hears sound as it comes, over a WebSocket on which it answers JSON objects. */
export interface StreamService extends ServiceEntry {
  readonly kind: 'stream';
  readonly audio: StreamAudio;
  /** Where to connect, with the query, and with which headers. Only here a key is sent. */
  request(options: ServiceOptions): {
    readonly url: URL;
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** What is said on one connection. */
  converse(options: ServiceOptions, talk: Talk): Conversation;
}

export interface StreamAudio {
  /** What it takes, always mono. */
  readonly format: PcmFormat;
  /** Length of the pieces that are sent. */
  readonly pieceMs: number;
  /** A shorter piece is filled up with silence: the service refuses it. 0 */
  readonly minPieceMs?: number;
  /** Sound may be sent at most so many times faster than it was spoken; as fast as the network. */
  readonly maxSpeed?: number;
  /** Where so long no sound was sent, {@link Conversation.keepAlive} is called, or silence is sent where there is none. */
  readonly keepAliveMs?: number;
}

/** The service's side of one connection: turns what happens into its messages, and its messages into {@link Talk}. */
export interface Conversation {
  /** The socket is open: says what must be said first. Calls `talk.ready()`, at once or on the service's answer. */
  open(): void;
  /** Sends a piece. Only after `ready`, and before `finish`. */
  sound(piece: Buffer): void;
  /** Says what keeps a silent connection open. Left out: silence is sent as sound. */
  keepAlive?(): void;
  /**
   * Ends the turn after the sound that was sent; calls `talk.committed()` when all its words have come. Left out: only
   * the service ends turns, and `finish` stands in.
   */
  commit?(): void;
  /** Asks for the last words and the end. When they have come, calls `talk.finished()`; a clean close (1000) does, too. */
  finish(): void;
  /** Takes what the service said. */
  answer(message: Readonly<Record<string, unknown>>): void;
  /** What a close code of its own means; undefined: it is tried again. */
  closeMeans?(code: number, reason: string): FailureKind | undefined;
}

/** Where a turn was heard, ms of the connection. */
export interface TurnSpan {
  readonly startMs?: number | undefined;
  readonly endMs: number;
}

/** What a conversation does to the world. Times are ms of sound sent on this connection. */
export interface Talk {
  /** Sends text, or JSON of an object, or bytes as a binary message. */
  send(message: string | object | Buffer): void;
  /** Sound sent so far. */
  readonly sentMs: number;
  /** Sound may be sent from now on. */
  ready(): void;
  /** Words that may still change, `turn` as in {@link turn}. */
  interim(heard: Heard, turn?: string): void;
  /** Words that stay. Sound up to their end is not sent again after a reconnect. */
  final(heard: Heard, turn?: string): void;
  /**
   * A turn is over whose words are to come: for services that answer turns in any order. Words of turns leave in the order
   * in which the turns were named here; a `final` with blank text where there are none.
   */
  turn(name: string, span: TurnSpan): void;
  /** All words of the sound before `untilMs` have come, or there were none. */
  settled(untilMs: number): void;
  committed(): void;
  finished(): void;
  /** It can't go on: the connection is closed, and what has no words yet is sent on the next one. */
  fail(kind: FailureKind, said: string): void;
  /** An answer makes no sense: it is passed over, and reported at most once a minute. */
  nonsense(said: string): void;
}

export type Service = UtteranceService | StreamService;
