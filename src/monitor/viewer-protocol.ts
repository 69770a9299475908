/** What the editor's tab and Node-RED say to each other. Browsers run this file too: no Node.js in it. */
import type { PcmEncoding } from '../audio/format';

/** Behind the admin root: where a ticket is had, the WebSocket is, and histories are downloaded. */
export const ADMIN_PATH = '/orgo-audio-monitor';
/** What Node-RED must allow a user for any of it. */
export const PERMISSION = 'orgo-audio-monitor.read';

/** Milliseconds of sound in a column of the spectrogram, and how many rows it has. */
export const COLUMN_MS = 50;
export const COLUMN_ROWS = 48;
/** Levels come this often. */
export const TICK_MS = 100;
/** The editor must show its ticket this soon. */
export const TICKET_WITHIN_MS = 10_000;

/** Close codes beside those of RFC 6455 §7.4.1. */
export const CLOSE = {
  /** No ticket, or one that was used or is too old. */
  unauthorized: 4401,
  /** Something that is none of {@link ViewerMessage}. */
  badMessage: 4400,
  /** Nothing was heard of the viewer for too long. */
  silent: 4408,
  tooMany: 4429,
} as const;

/** What comes in at a monitor, as the list shows it. */
export interface MonitorInfo {
  /** Of the node that runs. */
  readonly id: string;
  /** What messages with bytes call it. */
  readonly key: number;
  /** Of the node in the editor: another one inside a subflow. */
  readonly nodeId: string;
  readonly name: string;
  /** Null before the first sound. */
  readonly format: {
    readonly encoding: string;
    readonly sampleRate: number;
    readonly channels: number;
  } | null;
  readonly historySeconds: number;
}

/** The state of a monitor's sound. Levels are dBFS. */
export interface MonitorLevels {
  readonly id: string;
  readonly peak: number;
  readonly rms: number;
  readonly hold: number;
  /** How old the newest sound is, ms; null where its capture time is not known. */
  readonly ageMs: number | null;
  /** Whether someone speaks now. */
  readonly speech: boolean;
  /** Since the node was deployed. */
  readonly gaps: number;
  readonly gapMs: number;
  /** Other streams that came in at the same time, and are not shown. */
  readonly others: number;
}

export type HostMessage =
  | { readonly type: 'monitors'; readonly monitors: readonly MonitorInfo[] }
  | { readonly type: 'levels'; readonly levels: readonly MonitorLevels[] }
  /** To be sent back as it is: it shows that the page keeps up. */
  | { readonly type: 'probe'; readonly n: number };

export type ViewerMessage =
  /** The first one. */
  | { readonly type: 'ticket'; readonly ticket: string }
  /** Ids of the monitors whose levels are shown and whose sound is played; replaces what was wanted before. */
  | { readonly type: 'want'; readonly levels: readonly string[]; readonly sound: readonly string[] }
  | { readonly type: 'probe'; readonly n: number };

/** What is in a message of bytes: {@link HEADER_BYTES} of header, then samples, or columns. */
export type BinaryMessage =
  | {
      readonly kind: 'sound';
      readonly key: number;
      readonly encoding: PcmEncoding;
      readonly sampleRate: number;
      readonly channels: number;
      /** When the first sample was captured, epoch ms. */
      readonly time: number;
      readonly data: Uint8Array;
    }
  /** Columns, each {@link COLUMN_BYTES}: 1 where someone speaks, then its rows. */
  | { readonly kind: 'columns'; readonly key: number; readonly data: Uint8Array };

export const HEADER_BYTES = 24;
export const COLUMN_BYTES = 1 + COLUMN_ROWS;

const KINDS = ['sound', 'columns'] as const;
const ENCODINGS = ['s16le', 'f32le'] as const;

export function encodeBinary(message: BinaryMessage): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + message.data.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, KINDS.indexOf(message.kind));
  view.setUint32(4, message.key, true);
  if (message.kind === 'sound') {
    view.setUint8(1, ENCODINGS.indexOf(message.encoding));
    view.setUint8(2, message.channels);
    view.setUint32(8, message.sampleRate, true);
    view.setFloat64(16, message.time, true);
  }
  bytes.set(message.data, HEADER_BYTES);
  return bytes;
}

/** Undefined for bytes that {@link encodeBinary} did not make. */
export function decodeBinary(bytes: ArrayBuffer): BinaryMessage | undefined {
  if (bytes.byteLength < HEADER_BYTES) return undefined;
  const view = new DataView(bytes);
  const kind = KINDS[view.getUint8(0)];
  const key = view.getUint32(4, true);
  const data = new Uint8Array(bytes, HEADER_BYTES);
  if (kind === 'columns') return { kind, key, data };
  const encoding = ENCODINGS[view.getUint8(1)];
  if (kind === undefined || encoding === undefined) return undefined;
  const channels = view.getUint8(2);
  return {
    kind,
    key,
    encoding,
    channels,
    sampleRate: view.getUint32(8, true),
    time: view.getFloat64(16, true),
    data,
  };
}
