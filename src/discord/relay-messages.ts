/** What Node-RED's process and the relay process say to each other. */
import type { OrgoErrorCode } from '../audio/errors';
import type { LiveDuringRecording, PacerStats } from './pacer';
import type { RelayTimeouts } from './relay-timeouts';
import type { SoundPacket } from './sound-packet';

/** The token travels in here alone: the channel between the two processes is no file, no argument, no environment. */
export interface RelayStart {
  readonly kind: 'start';
  readonly token: string;
  readonly guildId: string;
  readonly channelId: string;
  readonly apiUrl: string;
  readonly maxQueueMs: number;
  readonly liveDuringRecording: LiveDuringRecording;
  readonly timeouts: RelayTimeouts;
}

export type ToRelay =
  | RelayStart
  | { readonly kind: 'move'; readonly channelId: string }
  /** The source has ended. */
  | { readonly kind: 'end' }
  /** Leave the channel, and end. */
  | { readonly kind: 'leave' };

/** Asked of the session that encrypts, never assumed. */
export type Encryption =
  /** The voice server offers none. */
  | 'none'
  /** Keys are being agreed on, or nobody else is there to agree with: nothing of the flow leaves. */
  | 'waiting'
  /** End to end. */
  | 'active';

export type RelayState =
  | { readonly step: 'logging-in' }
  | { readonly step: 'joining' }
  | { readonly step: 'reconnecting'; readonly why: string }
  | { readonly step: 'ready'; readonly channelId: string; readonly encryption: Encryption };

export interface RelayFailure {
  readonly code: OrgoErrorCode;
  readonly text: string;
  /** `retry`: after a pause. `out`: only when told to join again. `never`: only after a change of settings. */
  readonly then: 'retry' | 'out' | 'never';
  /** Discord's close code, where there was one. */
  readonly closeCode?: number | undefined;
}

export type FromRelay =
  | { readonly kind: 'state'; readonly state: RelayState }
  | { readonly kind: 'moved'; readonly from: string; readonly to: string }
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number }
  /** The session could not be resumed: the library has logged in once more. */
  | { readonly kind: 'logged-in-anew' }
  | { readonly kind: 'stats'; readonly stats: PacerStats }
  /** A wish could not be met; the relay goes on as it was. */
  | { readonly kind: 'refused'; readonly failure: RelayFailure }
  /** The last message: the process ends. */
  | { readonly kind: 'failed'; readonly failure: RelayFailure };

const HEADER_BYTES = 17;
const LIVE = 1;
const SILENT = 2;

/** A packet crosses as plain bytes: a byte of flags, the source's two times, and the Opus packet. */
export function writePacket(packet: SoundPacket): Buffer {
  const message = Buffer.allocUnsafe(HEADER_BYTES + packet.opus.length);
  message[0] = (packet.live ? LIVE : 0) | (packet.silent ? SILENT : 0);
  message.writeDoubleLE(packet.sourceMs, 1);
  message.writeDoubleLE(packet.clockMs, 9);
  packet.opus.copy(message, HEADER_BYTES);
  return message;
}

export function readPacket(message: Uint8Array): SoundPacket {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const flags = bytes[0] ?? 0;
  return {
    live: (flags & LIVE) !== 0,
    silent: (flags & SILENT) !== 0,
    sourceMs: bytes.readDoubleLE(1),
    clockMs: bytes.readDoubleLE(9),
    opus: bytes.subarray(HEADER_BYTES),
  };
}
