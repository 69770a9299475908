/** Hands frames to a sink in order, waits when the sink returns a promise, and lets other work run in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../audio/clock';

/** After this long in one turn of the event loop, continue in the next turn. */
const SLICE_MS = 8;

/** Takes the next one; where it returns a promise, nothing more comes until that resolves. */
export type Sink<T> = (item: T) => void | Promise<void>;

/** @param isOver asked before each item: whether the rest is to be dropped */
export async function deliver<T>(
  items: Iterable<T>,
  sink: Sink<T>,
  clock: Clock,
  isOver: () => boolean,
): Promise<void> {
  let since = clock.now();
  for (const item of items) {
    if (isOver()) return;
    const taken = sink(item);
    if (taken) await taken;
    if (clock.now() - since < SLICE_MS) continue;
    await nextTurn();
    since = clock.now();
  }
  await nextTurn();
}
