/** How late live packets come compared with the earliest ones: what the playout must be ready for. */
import { FRAME_MS } from './sound-packet';

/** Packets that count: ten seconds of them. */
const WINDOW = 500;
/** This share of the packets must arrive in time. */
const COVERED = 0.95;
/** Where the lateness is measured from follows a source whose clock is slower than ours, by this much a packet. */
const FLOOR_RISE_MS = 0.25;

/**
 * The lateness of a packet is its arrival minus its place on the source's clock, above the least such difference of
 * late. Packets of a stall are left out: no queue within its bound could have waited for them.
 */
export class ArrivalJitter {
  private readonly lateness = new Float64Array(WINDOW);
  private count = 0;
  private floor = Infinity;
  private stalled = false;

  /** @param stallMs packets later than this belong to a stall */
  constructor(private readonly stallMs: number) {}

  add(arrival: number, sourceMs: number): void {
    const difference = arrival - sourceMs;
    this.floor = Math.min(difference, this.floor + FLOOR_RISE_MS);
    const late = difference - this.floor;
    if (late > this.stallMs) this.stalled = true;
    else if (late < FRAME_MS) this.stalled = false;
    if (this.stalled) return;
    this.lateness[this.count % WINDOW] = late;
    this.count++;
  }

  /** Lateness that {@link COVERED} of the packets stay below, ms; 0 before the first one. */
  get coveredMs(): number {
    const kept = Math.min(this.count, WINDOW);
    if (kept === 0) return 0;
    const sorted = this.lateness.slice(0, kept).sort();
    return sorted[Math.min(kept - 1, Math.floor(kept * COVERED))] ?? 0;
  }

  /** A new source: nothing of the old one counts. */
  reset(): void {
    this.count = 0;
    this.floor = Infinity;
    this.stalled = false;
  }
}
