/** What every source of sound is to the server: frames on one unbroken sample clock, and a state that is reported. */
import type { OrgoError } from '../audio/errors';
import type { PcmFrame } from '../audio/frame';

/** Reported whenever it changes. */
export type SourceState =
  /** Not started, or stopped. */
  | { readonly kind: 'idle' }
  /** Looking for the device, or waiting for its first sound. */
  | { readonly kind: 'starting' }
  /** Frames flow. `device` is the name that is captured. */
  | { readonly kind: 'running'; readonly device: string; readonly muted: boolean }
  /** The device was suspended by someone else: silent frames keep the clock running. */
  | { readonly kind: 'suspended'; readonly device: string }
  /** No sound can be had now; it is tried again. If frames had been flowing, silent ones keep the clock running. */
  | { readonly kind: 'lost'; readonly error: OrgoError };

/** What a source delivers to, from its start until it is stopped. */
export interface SourceSink {
  /**
   * The next stretch of sound, of any length up to 100 ms, in the source's own format. `position` starts at 0
   * and is contiguous but for `gap`: what was missed (a stall, a jump) is counted there, never sent late.
   */
  onFrame(frame: PcmFrame): void;
  onState(state: SourceState): void;
}

/** Started by the first listener, stopped after the last; may be started again, as a new stream. */
export interface Source {
  /** Starts to deliver into `sink`. A source that runs already is stopped first. */
  start(sink: SourceSink): void;
  /** Stops, and frees every socket and timer. May be called twice. */
  stop(): void;
  /**
   * Asks for frames of at most `ms`, at any time, running or not; a source that does not make them itself has none of
   * this.
   */
  setChunk?(ms: number): void;
}

/** Whether both say the same. */
export function sameState(a: SourceState, b: SourceState): boolean {
  switch (a.kind) {
    case 'idle':
    case 'starting':
      return a.kind === b.kind;
    case 'running':
      return b.kind === 'running' && a.device === b.device && a.muted === b.muted;
    case 'suspended':
      return b.kind === 'suspended' && a.device === b.device;
    case 'lost':
      return b.kind === 'lost' && a.error.code === b.error.code && a.error.message === b.error.message;
  }
}
