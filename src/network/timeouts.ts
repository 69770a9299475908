/** Waits and time limits on a clock that is passed in, ended by an AbortSignal. */
import type { Clock } from '../audio/clock';

/** Resolves after `ms`; rejects with the signal's reason once it is aborted. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(reasonOf(signal));
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(reasonOf(signal));
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Runs `work` with a signal that is aborted with `signal`, or after `ms`.
 * @throws timeUp when the time is up
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  timeUp: Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const bounded = new AbortController();
  const onAbort = (): void => bounded.abort(signal.reason);
  const cancel = clock.after(ms, () => bounded.abort(timeUp));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(bounded.signal);
  } catch (thrown) {
    throw bounded.signal.reason === timeUp ? timeUp : thrown;
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}
