/** At most so many at once: who comes later waits its turn. */

export class Slots {
  private free: number;
  private waiting: (() => void)[] = [];

  constructor(count: number) {
    this.free = count;
  }

  /** Calls `fn` when a place is free, at once or later; the place is taken until {@link release}. */
  take(fn: () => void): void {
    if (this.free === 0) {
      this.waiting.push(fn);
      return;
    }
    this.free--;
    fn();
  }

  /** Gives a place back. */
  release(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free++;
  }
}
