/** Notices that a listener has gone without closing: pings it while nothing else is sent, and waits 90 s. */
import type { Clock } from '../audio/clock';

/** A listener that was sent nothing for this long is asked by a ping. */
const PING_EVERY_MS = 30_000;
/** A listener that gave no sign of life for this long is gone: its network ended without a word. */
const GONE_AFTER_MS = 90_000;

export class LifeSigns {
  private lastSign: number;
  private lastSent: number;
  private cancel: () => void = () => undefined;

  /**
   * @param ping asks the listener for an answer
   * @param end ends the connection of a listener that is gone
   */
  constructor(
    private readonly clock: Clock,
    private readonly ping: () => void,
    private readonly end: () => void,
  ) {
    this.lastSign = this.lastSent = clock.now();
    this.watch();
  }

  /** The listener answered, spoke, or took what it was sent. */
  seen(now: number): void {
    this.lastSign = now;
  }

  /** The listener was sent something that shows in time whether it is there. */
  sent(now: number): void {
    this.lastSent = now;
  }

  /** Ends the watch. */
  close(): void {
    this.cancel();
  }

  private watch(): void {
    const delay = Math.min(PING_EVERY_MS, this.lastSign + GONE_AFTER_MS - this.clock.now());
    this.cancel = this.clock.after(delay, () => {
      const now = this.clock.now();
      if (now - this.lastSign >= GONE_AFTER_MS) {
        this.end();
        return;
      }
      if (now - this.lastSent >= PING_EVERY_MS) this.ping();
      this.watch();
    });
  }
}
