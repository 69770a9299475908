/** When a service that failed is tried again, and whether that is news for the user. */
import { Backoff } from '../audio/backoff';
import type { Clock } from '../audio/clock';
import type { ServiceFailure } from './failure';

/** After a wrong key, or what a service refuses: only someone else can change that. */
const REFUSED_WAIT_MS = 30_000;
/** A connection that lasted so long was a success: the next wait is short again. */
const SUCCESS_MS = 3000;
/** The outage is over when a connection has lasted so long. */
const STABLE_MS = 10_000;
/** No service may ask for a longer wait. */
const MAX_WAIT_MS = 300_000;

export class Retry {
  private readonly backoff: Backoff;
  private readyAt: number | undefined;
  private isTold = false;

  /** @param random uniform in [0, 1), as Math.random */
  constructor(
    private readonly clock: Clock,
    random: () => number,
  ) {
    this.backoff = new Backoff(random);
  }

  /** A connection is ready. */
  ready(): void {
    this.readyAt = this.clock.now();
  }

  /** How long to wait now, and whether the outage is a new one. */
  failed(failure: ServiceFailure): { readonly waitMs: number; readonly isNews: boolean } {
    const lastedMs = this.readyAt === undefined ? 0 : this.clock.now() - this.readyAt;
    this.readyAt = undefined;
    if (lastedMs >= SUCCESS_MS) this.backoff.reset();
    if (lastedMs >= STABLE_MS) this.isTold = false;
    const isNews = !this.isTold;
    this.isTold = true;
    return { waitMs: this.waitFor(failure), isNews };
  }

  /** A user asks for the next try: it is a new one. */
  reset(): void {
    this.backoff.reset();
    this.isTold = false;
  }

  private waitFor({ kind, retryAfterMs }: ServiceFailure): number {
    if (retryAfterMs !== undefined) return Math.min(retryAfterMs, MAX_WAIT_MS);
    return kind === 'key' || kind === 'refused' ? REFUSED_WAIT_MS : this.backoff.next();
  }
}
