/** What an audio stream tells its owner: its state, its sound, and how it ended. */
import type { OrgoError } from '../audio/errors';
import type { PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import type { Gap } from './receiver';

/** Told whenever it changes. */
export type StreamState =
  /** Not started, or stopped. */
  | { readonly kind: 'stopped' }
  /** The password is being fetched. `wait`: the API asked to come back later. */
  | { readonly kind: 'authorizing'; readonly wait?: OrgoError }
  /** From the handshake until the server says `started`. */
  | { readonly kind: 'connecting' }
  /** The server said which format follows; no sound has come yet. */
  | { readonly kind: 'started'; readonly format: PcmFormat }
  /** Sound comes. */
  | { readonly kind: 'running'; readonly format: PcmFormat }
  /** It ended, and is tried again after `retryInMs`. */
  | { readonly kind: 'waiting'; readonly error: OrgoError; readonly retryInMs: number }
  /** Trying again would change nothing: it waits to be started. */
  | { readonly kind: 'refused'; readonly error: OrgoError };

/** Why a stream ended, in the words of the message contract. */
export type StreamEndReason = 'stopped' | 'disconnected' | 'restarted' | 'error' | 'closed';

/** Why one stopped it: `stopped` by someone who may start it again, `closed` for good. */
export type StopReason = Extract<StreamEndReason, 'stopped' | 'closed'>;

export interface StreamEnd {
  readonly reason: StreamEndReason;
  /** What had waited for the rest of its frame. */
  readonly tail: PcmFrame | undefined;
  readonly error: OrgoError | undefined;
  /** The WebSocket's close code, where the server gave one. */
  readonly closeCode: number | undefined;
}

/** Who hears the sound, in the turn in which it arrived. */
export interface AudioStreamSink {
  onState(state: StreamState): void;
  /** A new stream: position 0 comes next. */
  onBegin(format: PcmFormat): void;
  onFrame(frame: PcmFrame): void;
  /** Called before the frames that follow the gap, or stand in for it. */
  onGap(gap: Gap): void;
  /** The end of what began, once. */
  onEnd(end: StreamEnd): void;
  /** The server broke a rule, or offers another format; the stream goes on. */
  onNotice(notice: OrgoError): void;
}
