/** How punctually live sound arrives: what a jitter buffer must be ready for. */

const BUCKET_MS = 1000;
/** What was late in the last 20 s may come as late again. */
const BUCKETS = 20;

interface Bucket {
  readonly start: number;
  least: number;
  most: number;
}

/**
 * Keeps the lead of each arrival: how much sound had come before it, minus the time that has passed, ms. With a
 * perfect network and equal clocks the lead would never change. A late chunk has a small one.
 */
export class Arrivals {
  #buckets: Bucket[] = [];

  /** @param lead of a chunk that arrives @param now ms, never smaller than before */
  add(lead: number, now: number): void {
    let last = this.#buckets.at(-1);
    if (!last || now - last.start >= BUCKET_MS) {
      last = { start: now, least: lead, most: lead };
      this.#buckets.push(last);
      if (this.#buckets.length > BUCKETS) this.#buckets.shift();
    }
    last.least = Math.min(last.least, lead);
    last.most = Math.max(last.most, lead);
  }

  clear(): void {
    this.#buckets = [];
  }

  /** The lead of the latest arrival; undefined before the first one. */
  get least(): number | undefined {
    return this.#buckets.length === 0 ? undefined : Math.min(...this.#buckets.map(({ least }) => least));
  }

  /** Between the earliest and the latest arrival, ms. */
  get jitterMs(): number {
    const { least } = this;
    return least === undefined ? 0 : Math.max(...this.#buckets.map(({ most }) => most)) - least;
  }

  /** Whether a chunk with this lead is earlier by more than `limitMs` than what came until a moment ago. */
  isAhead(lead: number, limitMs: number): boolean {
    const before = this.#buckets.slice(0, -1);
    const [only] = this.#buckets;
    const most = before.length > 0 ? Math.max(...before.map((bucket) => bucket.most)) : only?.least;
    return most !== undefined && lead > most + limitMs;
  }

  /** Seconds that the figures rest on. */
  get seconds(): number {
    return this.#buckets.length;
  }
}
