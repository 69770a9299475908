/** Decides whether and when to reconnect. Remembers the attempts since the last stream that lasted. */
import { Backoff, SLOW } from '../audio/backoff';
import type { EndpointSource } from './endpoint';
import type { Reaction } from './reaction';

/** When to try again. */
export type NextAttempt =
  | { readonly kind: 'now' }
  | { readonly kind: 'later'; readonly inMs: number }
  /** The same settings would only fail again. */
  | { readonly kind: 'never' };

export class Retry {
  private readonly backoff: Backoff;
  private readonly slowBackoff: Backoff;
  /** Whether the source was asked again, because of a rejection, since the last {@link reset}. */
  private renewed = false;

  /** @param random uniform in [0, 1), as Math.random */
  constructor(
    private readonly source: Pick<EndpointSource, 'renewsToken' | 'renewsAddress'>,
    random: () => number,
  ) {
    this.backoff = new Backoff(random);
    this.slowBackoff = new Backoff(random, SLOW);
  }

  /**
   * When to try again. Each call counts as one attempt: the wait after it is longer.
   * @param lasted whether the stream that ended had run long enough to be a success
   */
  next(reaction: Reaction, lasted: boolean): NextAttempt {
    if (this.isFree(reaction, lasted)) return { kind: 'now' };
    const backoff = this.backoffFor(reaction);
    return backoff ? { kind: 'later', inMs: backoff.next() } : { kind: 'never' };
  }

  /** After a success: the next waits are short again, and the source may be asked again at once. */
  reset(): void {
    this.backoff.reset();
    this.slowBackoff.reset();
    this.renewed = false;
  }

  /** Whether this attempt needs no wait. A rejection gets one such attempt until a stream lasts. */
  private isFree(reaction: Reaction, lasted: boolean): boolean {
    if (reaction === 'retry-now') return lasted;
    const { renewsToken, renewsAddress } = this.source;
    const renews =
      (reaction === 'renew-token' && renewsToken) || (reaction === 'renew-address' && renewsAddress);
    if (!renews || this.renewed) return false;
    this.renewed = true;
    return true;
  }

  /** Undefined: never. */
  private backoffFor(reaction: Reaction): Backoff | undefined {
    switch (reaction) {
      case 'retry':
      case 'retry-now':
        return this.backoff;
      case 'retry-slowly':
        return this.slowBackoff;
      case 'renew-token':
        // After a restart the API may take some seconds longer than the computer to know the new password.
        return this.source.renewsToken ? this.slowBackoff : undefined;
      case 'renew-address':
      case 'never':
        return undefined;
    }
  }
}
