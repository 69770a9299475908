/** Estimates when a sample was captured from when the later ones arrived: moves with the samples, not the jitter. */
import { msOfSamples } from './format';

/** How fast the estimate may drift later: 200 ppm, twice what crystal oscillators are apart. */
const RISE_PER_MS = 200e-6;
/** How fast it may move earlier once settled: an earlier arrival proves that all so far were late. */
const FALL_PER_MS = 5e-3;
/** Of the time since the last arrival on the line, this much counts for the fall: prompt arrivals may be rare. */
const MAX_FALL_OVER_MS = 1000;
/** Until then every earlier arrival is believed at once. */
const SETTLE_MS = 2000;

/**
 * A line `time = offset + position / sampleRate` under all arrivals: delay only ever makes an arrival late, so
 * the earliest ones are the most exact (the minimum filter of NTP's clock filter, RFC 5905 §10).
 */
export class SampleClock {
  private offset: number | undefined;
  private startedAt = 0;
  private lastArrival = 0;
  private lastPrompt = 0;

  constructor(private readonly sampleRate: number) {}

  /**
   * Takes note that all samples before `position` had arrived at `arrival`.
   * @param position samples since the stream began, missing ones included
   * @param arrival ms on any clock; {@link timeOf} answers on the same one
   */
  observe(position: number, arrival: number): void {
    const measured = arrival - msOfSamples(this.sampleRate, position);
    if (this.offset === undefined) {
      this.offset = measured;
      this.startedAt = arrival;
      this.lastArrival = arrival;
    } else {
      this.offset = this.follow(this.offset, measured, arrival);
    }
    if (measured <= this.offset) this.lastPrompt = arrival;
    this.lastArrival = Math.max(arrival, this.lastArrival);
  }

  private follow(offset: number, measured: number, arrival: number): number {
    if (measured > offset) {
      const elapsed = Math.max(0, arrival - this.lastArrival);
      return Math.min(measured, offset + elapsed * RISE_PER_MS);
    }
    if (arrival - this.startedAt < SETTLE_MS) return measured;
    const elapsed = Math.min(MAX_FALL_OVER_MS, Math.max(0, arrival - this.lastPrompt));
    return Math.max(measured, offset - elapsed * FALL_PER_MS);
  }

  /** How much later than the line these samples arrived, ms: 0 for the promptest, more for a late one. */
  lateness(position: number, arrival: number): number {
    return this.offset === undefined ? 0 : arrival - this.timeOf(position);
  }

  /** When the sample at `position` was captured. */
  timeOf(position: number): number {
    return (this.offset ?? 0) + msOfSamples(this.sampleRate, position);
  }

  /** Whether any arrival was seen. */
  get running(): boolean {
    return this.offset !== undefined;
  }

  /** Forgets everything, for a new stream or after a jump. */
  reset(): void {
    this.offset = undefined;
  }
}
