/** The verdict on a request for the audio WebSocket, from the facts about it alone: nothing is changed here. */
import { errorText } from '../audio/errors';
import { CloseCode } from '../protocol/close-codes';
import { parseStreamQuery, type StreamQuery } from '../protocol/stream-format';
import type { Route } from '../protocol/urls';
import { wireStreamOf, type WireStream } from './wire-stream';

/** Streams beyond the document's that are made at once: each costs a resampler, and perhaps an encoder. */
export const MAX_CHOICES = 16;

/** All that the verdict depends on. */
export interface RequestFacts {
  /** What the path asks for; undefined where it is none of ours. */
  readonly route: Route | undefined;
  readonly originAllowed: boolean;
  readonly tokenMatches: boolean;
  readonly query: URLSearchParams;
  /** The one computer served; empty: any id. */
  readonly computerId: string;
  readonly running: boolean;
  readonly listeners: number;
  readonly maxListeners: number;
  /** Keys of the streams beyond the document's that are listened to now. */
  readonly choices: () => ReadonlySet<string>;
  /** Whether Opus can be encoded here. */
  readonly hasOpus: () => boolean;
}

export type Verdict =
  /** There is no WebSocket: the upgrade is answered with this HTTP status. */
  | { readonly kind: 'refuse'; readonly status: 403 | 404 }
  /** A guess: the WebSocket is accepted and closed with 4401, later for a network that guesses. */
  | { readonly kind: 'wrong-token' }
  /** The WebSocket is accepted and closed, after an `error` text where there is a message. */
  | {
      readonly kind: 'close';
      readonly code: CloseCode;
      readonly reason: string;
      readonly message?: string;
    }
  | { readonly kind: 'admit'; readonly stream: WireStream; readonly clock: boolean };

/** Whether `route` is one of the two paths of the audio WebSocket. */
export function isAudioRoute(route: Route | undefined): boolean {
  return route?.kind === 'audio' || route?.kind === 'desktop-audio';
}

/** Whether `route` names a computer that a server of `computerId` does not have. */
export function isOtherComputer(route: Route, computerId: string): boolean {
  return route.kind !== 'audio' && computerId !== '' && route.computerId !== computerId;
}

/** Judges a request. The token comes before all that a client without it must not learn. */
export function judge(facts: RequestFacts): Verdict {
  const { route, listeners } = facts;
  if (!route || !isAudioRoute(route)) return { kind: 'refuse', status: 404 };
  if (!facts.originAllowed) return { kind: 'refuse', status: 403 };
  if (!facts.tokenMatches) return { kind: 'wrong-token' };
  if (!facts.running || isOtherComputer(route, facts.computerId)) {
    return { kind: 'close', code: CloseCode.notFound, reason: 'computer not found or not running' };
  }
  let wanted: StreamQuery;
  try {
    wanted = parseStreamQuery(facts.query);
  } catch (error) {
    const message = errorText(error);
    return { kind: 'close', code: CloseCode.badParameter, reason: 'bad parameter', message };
  }
  if (listeners >= facts.maxListeners) {
    const message = `Too many listeners: ${listeners} are connected`;
    return { kind: 'close', code: CloseCode.tryAgainLater, reason: 'too many listeners', message };
  }
  const stream = wireStreamOf(withoutMissingOpus(wanted, facts));
  if (stream.isExtension && isBeyondChoices(stream, facts.choices())) {
    const message = `${MAX_CHOICES} other choices of codec, frame_ms and bitrate are listened to: leave yours out, or choose one of them`;
    return { kind: 'close', code: CloseCode.tryAgainLater, reason: 'too many choices', message };
  }
  return { kind: 'admit', stream, clock: wanted.clock };
}

/** A server without an Opus library is one that does not know our codecs: `started` tells. */
function withoutMissingOpus(wanted: StreamQuery, { hasOpus }: RequestFacts): StreamQuery {
  const { choice } = wanted;
  if (choice?.codec !== 'opus' || hasOpus()) return wanted;
  return { ...wanted, choice: { codec: 'pcm', frameMs: choice.frameMs, bitrate: undefined } };
}

function isBeyondChoices({ key }: WireStream, choices: ReadonlySet<string>): boolean {
  return choices.size >= MAX_CHOICES && !choices.has(key);
}
