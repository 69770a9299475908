/** The verdict on a request for the audio WebSocket, from the facts about it alone: nothing is changed here. */
import { errorText } from '../audio/errors';
import { CloseCode } from '../protocol/close-codes';
import { parseStreamQuery, type StreamQuery } from '../protocol/stream-format';
import type { Route } from '../protocol/urls';

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
  | { readonly kind: 'admit'; readonly wanted: StreamQuery };

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
  return { kind: 'admit', wanted };
}
