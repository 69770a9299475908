/** What was sent to listeners since it was last reported, those that have left among them. */
import type { Listener } from './listener';

/** Frames and bytes written, frames left out, and the worst backlog of a listener now, ms. */
export interface Sent {
  readonly frames: number;
  readonly bytes: number;
  readonly dropped: number;
  readonly backlogMs: number;
}

export class SentCount {
  private frames = 0;
  private bytes = 0;
  private dropped = 0;

  /** Counts what was sent to `listener` since it was counted last; also when it leaves. */
  add(listener: Listener): void {
    const { frames, bytes, dropped } = listener.takeStats();
    this.frames += frames;
    this.bytes += bytes;
    this.dropped += dropped;
  }

  /** What was sent since the last call, to `listeners` and to those that left. */
  take(listeners: Iterable<Listener>): Sent {
    let backlogMs = 0;
    for (const listener of listeners) {
      backlogMs = Math.max(backlogMs, listener.backlogMs);
      this.add(listener);
    }
    const { frames, bytes, dropped } = this;
    this.frames = this.bytes = this.dropped = 0;
    return { frames, bytes, dropped, backlogMs };
  }
}
