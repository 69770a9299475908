import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Backoff } from '../../src/audio/backoff';

describe('the wait before the next attempt', () => {
  it('is a random share of a limit that doubles from 0.5 s to 30 s', () => {
    const longest = new Backoff(() => 1);
    const waits = Array.from({ length: 9 }, () => longest.next());
    assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    assert.equal(new Backoff(() => 0.25).next(), 125);
  });

  it('is short again after a success', () => {
    const backoff = new Backoff(() => 1);
    backoff.next();
    backoff.next();
    backoff.reset();
    assert.equal(backoff.next(), 500);
  });
});
