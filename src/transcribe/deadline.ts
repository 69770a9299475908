/** Calls once when something that was begun was not done in time. */
import type { Clock } from '../audio/clock';

export class Deadline {
  private cancel: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
    private readonly onPassed: () => void,
  ) {}

  /** Begins, where it has not begun. */
  start(): void {
    this.cancel ??= this.clock.after(this.ms, () => {
      this.cancel = undefined;
      this.onPassed();
    });
  }

  /** May be called twice. */
  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }
}
