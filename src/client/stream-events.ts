/** What an audio stream reports to its owner: its state, its sound, and how it ended. */
import type { OrgoError } from '../audio/errors';
import type { AudioFrame, PcmFrame } from '../audio/frame';
import type { HeardFormat } from './heard-format';
import type { Gap } from './receiver';

/** Reported whenever it changes. */
export type StreamState =
  /** Not started, or stopped. */
  | { readonly kind: 'stopped' }
  /** The address and password are being looked up. `wait`: the API asked us to wait. */
  | { readonly kind: 'authorizing'; readonly wait?: OrgoError }
  /** From the handshake until the server says `started`. */
  | { readonly kind: 'connecting' }
  /** The server announced the format; no sound has arrived yet. */
  | { readonly kind: 'started'; readonly format: HeardFormat }
  /** Sound arrives. */
  | { readonly kind: 'running'; readonly format: HeardFormat }
  /** It ended, and reconnects after `retryInMs`. */
  | { readonly kind: 'waiting'; readonly error: OrgoError; readonly retryInMs: number }
  /** Trying again would not help: it waits to be started. */
  | { readonly kind: 'refused'; readonly error: OrgoError };

/** Why a stream ended, in the words of the message contract. */
export type StreamEndReason = 'stopped' | 'disconnected' | 'restarted' | 'error' | 'closed';

/** Why it was stopped: `stopped` may be started again, `closed` is final. */
export type StopReason = Extract<StreamEndReason, 'stopped' | 'closed'>;

export interface StreamEnd {
  readonly reason: StreamEndReason;
  /** The last frame, if it was not complete yet. */
  readonly tail: PcmFrame | undefined;
  readonly error: OrgoError | undefined;
  /** The WebSocket's close code, if there was one. */
  readonly closeCode: number | undefined;
}

/** PCM, or one Opus packet. */
export type HeardFrame = PcmFrame | AudioFrame<'opus'>;

/** Receives the sound, synchronously as it arrives. */
export interface AudioStreamSink {
  onState(state: StreamState): void;
  /** A new stream: position 0 comes next. */
  onBegin(format: HeardFormat): void;
  onFrame(frame: HeardFrame): void;
  /** Called before the frames that follow the gap or fill it. */
  onGap(gap: Gap): void;
  /** Called once for each `onBegin`. */
  onEnd(end: StreamEnd): void;
  /** The server broke a rule or sends another format; the stream goes on. */
  onNotice(notice: OrgoError): void;
}
