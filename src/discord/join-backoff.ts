/** How long to wait before the next log-in. */

const FIRST_MS = 1000;
const MOST_MS = 60_000;
/** A share of each wait is random, so that many bots do not come back at once. */
const RANDOM_SHARE = 0.2;

/** Doubles from 1 s to 60 s: Discord counts log-ins, a thousand a day. */
export class JoinBackoff {
  private waitMs = FIRST_MS;

  /** @param random uniform in [0, 1), as Math.random */
  constructor(private readonly random: () => number) {}

  next(): number {
    const wait = this.waitMs * (1 + RANDOM_SHARE * this.random());
    this.waitMs = Math.min(MOST_MS, this.waitMs * 2);
    return Math.min(MOST_MS, wait);
  }

  /** After a success. */
  reset(): void {
    this.waitMs = FIRST_MS;
  }
}
