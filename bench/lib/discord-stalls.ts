/** How soon sound is back at its latency after its source has stalled, and after its event loop was blocked. */
import { quantile } from './table';

export const FRAME_MS = 20;
export const STALL_MS = 500;
export const BLOCK_MS = 600;
/** Time to settle after each of them. */
export const SETTLE_MS = 5000;

/** A packet on the wire: ms since the source began. */
export interface Arrival {
  readonly atMs: number;
  /** When it would have left the source without any stall. */
  readonly sourceMs: number;
}

/** Latency is judged over so many packets: half a second. */
const JUDGED = 25;
/** Back is: no more than a frame later than before. */
const TOLERANCE_MS = FRAME_MS;

/** @returns p50, p99; then for the stall and for the block: back after ms, latency at the end, most packets in 20 ms */
export function stallFigures(arrivals: readonly Arrival[], steadyMs: number): string[] {
  const steady = lateness(arrivals.filter(({ sourceMs }) => sourceMs >= 1000 && sourceMs < steadyMs));
  const usual = quantile(steady, 0.5);
  const stallEnd = steadyMs + STALL_MS;
  const blockEnd = stallEnd + SETTLE_MS + BLOCK_MS;
  const figures = [stallEnd, blockEnd].flatMap((end) => {
    const after = arrivals.filter(({ atMs }) => atMs >= end && atMs < end + SETTLE_MS);
    const back = backAfter(after, usual + TOLERANCE_MS, end);
    const late = quantile(lateness(after.slice(-JUDGED)), 0.5);
    return [back === undefined ? 'never' : back.toFixed(0), late.toFixed(0), String(mostInAFrame(after))];
  });
  return [usual.toFixed(1), quantile(steady, 0.99).toFixed(1), ...figures];
}

function lateness(arrivals: readonly Arrival[]): number[] {
  return arrivals.map(({ atMs, sourceMs }) => atMs - sourceMs);
}

/** From when on the median of each half second is within `limitMs`; ms after `end`. */
function backAfter(after: readonly Arrival[], limitMs: number, end: number): number | undefined {
  let back: number | undefined;
  for (let i = 0; i + JUDGED <= after.length; i++) {
    const isBack = quantile(lateness(after.slice(i, i + JUDGED)), 0.5) <= limitMs;
    if (!isBack) back = undefined;
    else back ??= (after[i]?.atMs ?? end) - end;
  }
  return back;
}

function mostInAFrame(after: readonly Arrival[]): number {
  return Math.max(
    0,
    ...after.map(({ atMs }, i) => {
      const next = after.findIndex((each, k) => k > i && each.atMs - atMs > FRAME_MS);
      return (next < 0 ? after.length : next) - i;
    }),
  );
}
