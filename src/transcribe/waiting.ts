/** Those who wait until something holds. */

export class Waiting {
  private resolves: (() => void)[] = [];

  /** @param holds is asked with each {@link look} */
  constructor(private readonly holds: () => boolean) {}

  /** Resolves once it holds; undefined where it does. */
  wait(): Promise<void> | undefined {
    return this.holds() ? undefined : new Promise((resolve) => this.resolves.push(resolve));
  }

  /** Something changed. */
  look(): void {
    if (this.resolves.length === 0 || !this.holds()) return;
    for (const resolve of this.resolves.splice(0)) resolve();
  }
}
