/** How long to wait before the next attempt. */

/** A schedule of waits, ms. */
export interface WaitSchedule {
  /** The limit of the first wait. */
  readonly firstMs: number;
  /** The limit doubles with each wait, up to this. */
  readonly maxMs: number;
  /** The share of the limit that is always waited, 0 to 1; the rest is random. */
  readonly fixedShare: number;
}

/**
 * Exponential backoff with full jitter: a random share of a limit that doubles from 0.5 s to 30 s, so that the
 * listeners of a server that restarts do not come back all at once
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export const RECONNECT: WaitSchedule = { firstMs: 500, maxMs: 30_000, fixedShare: 0 };

/** For problems that only someone else can solve, such as an old password: 30 s at first, up to 5 min. */
export const SLOW: WaitSchedule = { firstMs: 40_000, maxMs: 300_000, fixedShare: 0.75 };

export class Backoff {
  private limitMs: number;

  /** @param random uniform in [0, 1), as Math.random */
  constructor(
    private readonly random: () => number,
    private readonly schedule: WaitSchedule = RECONNECT,
  ) {
    this.limitMs = schedule.firstMs;
  }

  /** Milliseconds to wait now; the next wait may be twice as long. */
  next(): number {
    const { fixedShare, maxMs } = this.schedule;
    const wait = (fixedShare + (1 - fixedShare) * this.random()) * this.limitMs;
    this.limitMs = Math.min(maxMs, this.limitMs * 2);
    return wait;
  }

  /** Starts over, after a success. */
  reset(): void {
    this.limitMs = this.schedule.firstMs;
  }
}
