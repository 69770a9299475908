/** What every source of sound is to the server: frames on one unbroken sample clock, and a state that is told. */
import type { OrgoError } from '../audio/errors';
import type { PcmFrame } from '../audio/frame';

/** Told whenever it changes. */
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

/** Who starts a source hears from it through this, until the source is stopped. */
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
}
