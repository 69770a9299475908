/** What was sent to listeners since it was last reported, those that have left among them. */
import type { Listener } from './listener';

/** Frames and bytes written, frames left out, and the worst backlog of a listener now, ms. */
export interface Sent {
  readonly frames: number;
  readonly bytes: number;
  readonly dropped: number;
  readonly backlogMs: number;
}

const NOTHING = { frames: 0, bytes: 0, dropped: 0 };

export class SentCount {
  private reported = NOTHING;
  private total = NOTHING;

  /** Counts what was sent to `listener` since it was counted last; also when it leaves. */
  add(listener: Listener): void {
    const { frames, bytes, dropped } = listener.takeStats();
    this.total = {
      frames: this.total.frames + frames,
      bytes: this.total.bytes + bytes,
      dropped: this.total.dropped + dropped,
    };
  }

  /** What was sent since the last call, to `listeners` and to those that left. */
  take(listeners: Iterable<Listener>): Sent {
    const before = this.reported;
    const { backlogMs, ...total } = this.sinceBegin(listeners);
    this.reported = total;
    const { frames, bytes, dropped } = total;
    return {
      frames: frames - before.frames,
      bytes: bytes - before.bytes,
      dropped: dropped - before.dropped,
      backlogMs,
    };
  }

  /** What was sent since the beginning. */
  sinceBegin(listeners: Iterable<Listener>): Sent {
    let backlogMs = 0;
    for (const listener of listeners) {
      backlogMs = Math.max(backlogMs, listener.backlogMs);
      this.add(listener);
    }
    return { ...this.total, backlogMs };
  }
}
