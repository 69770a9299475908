/** Time as it is passed in, so that tests run without sleeping. */

export interface Clock {
  /** Monotonic milliseconds, fractional, from an arbitrary origin: for intervals and deadlines. */
  now(): number;
  /** Epoch milliseconds minus {@link now}: added to a monotonic time it gives the wall clock. */
  epochOffset(): number;
  /** Calls `fn` once after `ms`; the function returned cancels it. */
  after(ms: number, fn: () => void): () => void;
}

/** A wall clock that is further off than this was set, not slewed: the offset follows it. */
const WALL_CLOCK_STEP_MS = 50;

/**
 * The machine's clocks. The epoch offset stays fixed while the wall clock is only slewed, so that times do not
 * wobble, and follows a step (a Raspberry Pi has no battery clock: it boots in the past and is then set).
 */
export function createSystemClock(): Clock {
  let offset = performance.timeOrigin;
  return {
    now: () => performance.now(),
    epochOffset() {
      const measured = Date.now() - performance.now();
      if (Math.abs(measured - offset) > WALL_CLOCK_STEP_MS) offset = measured;
      return offset;
    },
    after(ms, fn) {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
  };
}

export const systemClock: Clock = createSystemClock();
