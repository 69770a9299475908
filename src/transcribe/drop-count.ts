/** Counts sound that is lost, and tells of it at most once a second. */
import type { Clock } from '../audio/clock';

const TELL_EVERY_MS = 1000;

export class DropCount {
  /** Samples, at the service's rate, that were lost since the beginning. */
  total = 0;
  private untold = 0;
  private toldAt = -Infinity;
  private cancel: (() => void) | undefined;

  /** @param tell is given samples at the service's rate */
  constructor(
    private readonly clock: Clock,
    private readonly tell: (samples: number) => void,
  ) {}

  add(samples: number): void {
    if (samples <= 0) return;
    this.total += samples;
    this.untold += samples;
    const waitMs = this.toldAt + TELL_EVERY_MS - this.clock.now();
    if (waitMs <= 0) this.flush();
    else this.cancel ??= this.clock.after(waitMs, () => this.flush());
  }

  /** Tells what was not told yet. */
  flush(): void {
    this.cancel?.();
    this.cancel = undefined;
    const samples = this.untold;
    if (samples === 0) return;
    this.untold = 0;
    this.toldAt = this.clock.now();
    this.tell(samples);
  }
}
