/** The machine's clocks, as they are passed in. */
import assert from 'node:assert/strict';
import { describe, test, mock } from 'node:test';
import { createSystemClock } from '../../src/audio/clock';
import { errorText, OrgoError } from '../../src/audio/errors';

describe('the system clock', () => {
  test('adds up to the wall clock', () => {
    const clock = createSystemClock();
    assert(Math.abs(clock.now() + clock.epochOffset() - Date.now()) < 100);
  });

  test('keeps its offset while the wall clock is slewed, and follows it when it is set', (t) => {
    const clock = createSystemClock();
    const now = Date.now.bind(Date);
    clock.epochOffset();
    const before = clock.epochOffset();
    t.mock.method(Date, 'now', () => now() + 20);
    assert.equal(clock.epochOffset(), before);
    mock.restoreAll();
    t.mock.method(Date, 'now', () => now() + 3_600_000);
    assert(Math.abs(clock.epochOffset() - before - 3_600_000) < 60);
  });

  test('calls once after a while, unless it is cancelled', async () => {
    const clock = createSystemClock();
    const called: string[] = [];
    const cancel = clock.after(1, () => called.push('cancelled'));
    cancel();
    await new Promise<void>((resolve) => {
      clock.after(2, () => {
        called.push('after 2 ms');
        resolve();
      });
    });
    assert.deepEqual(called, ['after 2 ms']);
  });
});

test('an error has a code, a text and its cause; anything that is thrown has a text', () => {
  const cause = new Error('socket hang up');
  const error = new OrgoError('ORGO_BAD_INPUT', 'what came', { cause });
  assert.deepEqual(
    [error.name, error.code, error.message, error.cause],
    ['OrgoError', 'ORGO_BAD_INPUT', 'what came', cause],
  );
  assert.equal(errorText(error), 'what came');
  assert.equal(errorText('a string'), 'a string');
});
