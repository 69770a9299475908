/** The page's clock. Nothing is read from it before it is asked: an audio worklet, which loads this module too, has none. */
import type { Clock } from '../src/audio/clock';

export const pageClock: Clock = {
  now: () => performance.now(),
  epochOffset: () => Date.now() - performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};
