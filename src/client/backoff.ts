/** How long to wait before the next attempt. */

const FIRST_MS = 500;
const MAX_MS = 30_000;

/**
 * Exponential backoff with full jitter: a random share of a limit that doubles from 0.5 s to 30 s, so that the
 * listeners of a server that restarts do not come back all at once
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export class Backoff {
  private limitMs = FIRST_MS;

  /** @param random uniform in [0, 1), as Math.random */
  constructor(private readonly random: () => number) {}

  /** Milliseconds to wait now; the next wait may be twice as long. */
  next(): number {
    const wait = this.random() * this.limitMs;
    this.limitMs = Math.min(MAX_MS, this.limitMs * 2);
    return wait;
  }

  /** Starts over, after a success. */
  reset(): void {
    this.limitMs = FIRST_MS;
  }
}
