/** The JSON text frames of the Orgo audio protocol, both directions, with their readers. */
import { parseObject } from './json';

export interface Started {
  readonly type: 'started';
  /** Hz */
  readonly sample_rate: number;
  readonly channels: number;
  /** By our extension: length of each binary frame, ms. */
  readonly frame_ms?: number;
  /** By our extension: each binary frame is an Opus packet. */
  readonly codec?: 'opus';
  /** The Opus encoder's look-ahead, samples at 48 kHz. */
  readonly pre_skip?: number;
  /** The Opus encoder's target, bit/s. */
  readonly bitrate?: number;
}

export interface Pong {
  readonly type: 'pong';
}

export interface Failure {
  readonly type: 'error';
  readonly message: string;
}

/** The longest loss that a message may report: 24 h at 192 kHz, in samples. */
const MAX_DROPPED = 24 * 3600 * 192_000;
/** The longest look-ahead that an Opus stream can name (RFC 7845 §5.1), samples at 48 kHz. */
const MAX_PRE_SKIP = 0xffff;
/** The latest time that a JavaScript `Date` holds, epoch ms (ECMA-262, "Time Values and Time Range"). */
const MAX_TIME_MS = 8.64e15;

/** Our extension: describes the binary frame that follows it. */
export interface ClockMessage {
  readonly type: 'clock';
  /** Position of that frame's first sample since `started`, samples left out included. */
  readonly position: number;
  /** Its capture time, epoch ms. */
  readonly time: number;
  /** Samples left out just before it. */
  readonly dropped: number;
}

export type ServerMessage = Started | Pong | Failure | ClockMessage;

export interface ClientMessage {
  readonly type: 'stop' | 'ping';
}

/** The document's text for capture that can't be started. */
export const CAPTURE_FAILED_TEXT = 'Failed to start audio capture';

/** The server's answer to a message that it can't use. */
export const NOT_A_CLIENT_MESSAGE = 'Send {"type":"ping"} or {"type":"stop"}';

/** A client's message; undefined if it is not JSON, not an object, or of an unknown type. */
export function parseClientMessage(text: string): ClientMessage | undefined {
  const type = parseObject(text)?.['type'];
  return type === 'ping' || type === 'stop' ? { type } : undefined;
}

/**
 * A server's message; undefined if it is not JSON, or of an unknown type, or if a field is missing, of the wrong
 * type or out of bounds. Clients ignore messages that they don't know.
 */
export function parseServerMessage(text: string): ServerMessage | undefined {
  const message = parseObject(text);
  switch (message?.['type']) {
    case 'started':
      return startedOf(message);
    case 'pong':
      return { type: 'pong' };
    case 'error':
      return typeof message['message'] === 'string'
        ? { type: 'error', message: message['message'] }
        : undefined;
    case 'clock': {
      const { position, time, dropped } = message;
      return isCount(position, Number.MAX_SAFE_INTEGER) &&
        isNumber(time) &&
        Math.abs(time) <= MAX_TIME_MS &&
        isCount(dropped, MAX_DROPPED)
        ? { type: 'clock', position, time, dropped }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** What says nothing, or something that we don't know, is left out: a server that knows our extension says more. */
function startedOf({
  sample_rate,
  channels,
  frame_ms,
  codec,
  pre_skip,
  bitrate,
}: Record<string, unknown>): Started | undefined {
  if (!isNumber(sample_rate) || !isNumber(channels)) return undefined;
  return {
    ...{ type: 'started', sample_rate, channels },
    ...(isNumber(frame_ms) && { frame_ms }),
    ...(codec === 'opus' && { codec }),
    ...(isCount(pre_skip, MAX_PRE_SKIP) && { pre_skip }),
    ...(isNumber(bitrate) && { bitrate }),
  };
}

/** Whether `value` is a whole number from 0 to `most`. */
function isCount(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
