/** Tells when something happens too often. */
import type { Clock } from './clock';

export class Frequent {
  private times: number[] = [];

  /** @param most this many within `withinMs` are still fine */
  constructor(
    private readonly most: number,
    private readonly withinMs: number,
    private readonly clock: Clock,
  ) {}

  /** Counts one; whether that is too many. */
  add(): boolean {
    const now = this.clock.now();
    this.times = this.times.filter((time) => now - time < this.withinMs);
    this.times.push(now);
    return this.times.length > this.most;
  }
}
