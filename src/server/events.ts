/** What the server reports to its owner. The names are those of the message contract. */
import type { PcmFormat } from '../audio/format';
import type { Codec } from '../protocol/stream-format';

/** Where in the source's stream something happened. */
export interface EventPlace {
  readonly format: PcmFormat;
  /** One run of the source; every start is a new stream. */
  readonly stream: string;
  readonly position: number;
  /** Epoch ms. */
  readonly time: number;
}

export interface ListenerInfo {
  /** Counts up from 1 in this server. */
  readonly id: number;
  readonly address: string;
  readonly sampleRate: number;
  readonly channels: number;
  readonly codec: Codec;
  /** Of each frame that it is sent. */
  readonly frameMs: number;
}

export interface ServerStats {
  readonly listeners: number;
  /** Frames and payload bytes written since the last stats. */
  readonly frames: number;
  readonly bytes: number;
  /** Frames left out since the last stats because listeners did not keep up. */
  readonly dropped: number;
  /** The worst backlog of a listener now, ms. */
  readonly backlogMs: number;
  /** Age of the newest frame's first sample now, ms; null while nothing is captured. */
  readonly ageMs: number | null;
}

export type ServerEvent =
  | { readonly event: 'listener-connected'; readonly listener: ListenerInfo; readonly listeners: number }
  | {
      readonly event: 'listener-left';
      readonly listener: ListenerInfo;
      readonly listeners: number;
      /** The WebSocket's close code. */
      readonly code: number;
      readonly dropped: number;
    }
  | { readonly event: 'capture-started' | 'capture-resumed'; readonly device: string }
  | { readonly event: 'capture-lost'; readonly code: string; readonly message: string }
  | { readonly event: 'sound-started' | 'sound-stopped'; readonly place: EventPlace }
  | ({ readonly event: 'stats' } & ServerStats);
