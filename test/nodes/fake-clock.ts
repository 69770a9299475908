/** A clock that stands still until a test moves it; timers fire in order, each at its own time. */
import type { Clock } from '../../src/audio/clock';

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

export class FakeClock implements Clock {
  private time: number;
  private timers: Timer[] = [];
  /** Epoch ms at `now() === 0`. */
  epoch = 1_700_000_000_000;

  constructor(start = 1000) {
    this.time = start;
  }

  now(): number {
    return this.time;
  }

  epochOffset(): number {
    return this.epoch;
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.time + Math.max(0, ms), fn };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Moves on by `ms`, firing what falls due on the way. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((other) => other !== due);
      this.time = Math.max(this.time, due.at);
      due.fn();
    }
    this.time = end;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.timers.length;
  }

  /** Milliseconds until the next timer; undefined where none is set. */
  get nextIn(): number | undefined {
    const at = Math.min(...this.timers.map((timer) => timer.at));
    return this.timers.length === 0 ? undefined : at - this.time;
  }
}
