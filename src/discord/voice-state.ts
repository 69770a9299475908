/** What a Discord voice reports to its owner. */
import type { OrgoError } from '../audio/errors';
import type { PacerStats } from './pacer';

export type VoiceState =
  /** Not in a channel, because nobody asked, or because told to leave. */
  | { readonly kind: 'left' }
  | { readonly kind: 'connecting'; readonly step: 'starting' | 'logging-in' | 'joining' }
  /** In the channel; the voice server offers no end-to-end encryption. */
  | { readonly kind: 'ready'; readonly channelId: string }
  /** In the channel; nothing leaves until end-to-end encryption runs. It never does while the bot is alone there. */
  | { readonly kind: 'securing'; readonly channelId: string }
  | { readonly kind: 'encrypted'; readonly channelId: string }
  /** The connection is being taken up again. */
  | { readonly kind: 'reconnecting'; readonly why: string }
  /** A failure; the next try comes by itself, later where the bot has logged in very often. */
  | {
      readonly kind: 'waiting';
      readonly error: OrgoError;
      readonly retryInMs: number;
      readonly isSlowed: boolean;
    }
  /** Thrown out: back only when told to join. */
  | { readonly kind: 'kicked'; readonly error: OrgoError }
  /** Trying again would change nothing. */
  | { readonly kind: 'unusable'; readonly error: OrgoError }
  | { readonly kind: 'closed' };

export function inChannel(state: VoiceState): state is Extract<VoiceState, { channelId: string }> {
  return 'channelId' in state;
}

export interface VoiceStats extends PacerStats {
  /** Times that the relay process was started. */
  readonly starts: number;
}

export type VoiceEvent =
  | { readonly event: 'ready'; readonly channelId: string; readonly encrypted: boolean }
  | { readonly event: 'moved'; readonly from: string; readonly to: string }
  | { readonly event: 'left'; readonly channelId: string }
  | {
      readonly event: 'kicked';
      readonly channelId: string;
      readonly reason: string;
      readonly code: number | undefined;
    }
  | { readonly event: 'reconnecting'; readonly reason: string; readonly retryInMs: number | undefined }
  | ({ readonly event: 'stats'; readonly channelId: string } & VoiceStats);

/** Called in the turn in which it happens. */
export interface VoiceSink {
  onState(state: VoiceState): void;
  onEvent(event: VoiceEvent): void;
  /** One for each trouble, not one for each try. */
  onError(error: OrgoError): void;
}
