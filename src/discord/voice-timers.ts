/** What a Discord voice does later: its next try, and while it is in a channel its statistics. */
import type { Clock } from '../audio/clock';

const STATS_EVERY_MS = 10_000;
/** A join that holds for so long was a success: the next failure waits from 1 s again. */
const STABLE_AFTER_MS = 60_000;

export class VoiceTimers {
  private cancelRetry: (() => void) | undefined;
  private cancelStable: (() => void) | undefined;
  private cancelStats: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  retryIn(ms: number, retry: () => void): void {
    this.cancelRetry?.();
    this.cancelRetry = this.clock.after(ms, retry);
  }

  /** The bot is in its channel: `stats` is called every ten seconds, `stable` once where it stays there. */
  onReady(call: { readonly stable: () => void; readonly stats: () => void }): void {
    this.cancelStable?.();
    this.cancelStable = this.clock.after(STABLE_AFTER_MS, call.stable);
    if (!this.cancelStats) this.repeatStats(call.stats);
  }

  stop(): void {
    for (const cancel of [this.cancelRetry, this.cancelStable, this.cancelStats]) cancel?.();
    this.cancelRetry = undefined;
    this.cancelStable = undefined;
    this.cancelStats = undefined;
  }

  private repeatStats(stats: () => void): void {
    this.cancelStats = this.clock.after(STATS_EVERY_MS, () => {
      this.repeatStats(stats);
      stats();
    });
  }
}
