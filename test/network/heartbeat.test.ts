import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Heartbeat } from '../../src/network/heartbeat';
import { FakeClock } from '../nodes/fake-clock';

describe('the heartbeat of a connection', () => {
  let clock: FakeClock;
  let pings: number;
  let deaths: number;
  let heartbeat: Heartbeat;

  beforeEach(() => {
    clock = new FakeClock(0);
    pings = deaths = 0;
    heartbeat = new Heartbeat(
      clock,
      () => (pings += 1),
      () => (deaths += 1),
    );
  });

  it('pings every 30 s as long as something comes', () => {
    for (let second = 1; second <= 300; second++) {
      clock.advance(1000);
      heartbeat.sawLife();
    }
    assert.equal(pings, 10);
    assert.equal(deaths, 0);
  });

  it('is dead 10 s after a ping that nothing followed', () => {
    clock.advance(39_999);
    assert.deepEqual([pings, deaths], [1, 0]);
    clock.advance(1);
    assert.deepEqual([pings, deaths], [1, 1]);
    assert.equal(clock.pending, 0);
  });

  it('gives what piled up while our own process stood still the time to be read', () => {
    clock.advance(30_000);
    stall(clock, 60_000);
    assert.equal(deaths, 0);
    heartbeat.sawLife();
    clock.advance(1000);
    assert.equal(deaths, 0);
    clock.advance(29_000);
    assert.equal(pings, 2);
  });

  it('stops', () => {
    heartbeat.stop();
    heartbeat.stop();
    assert.equal(clock.pending, 0);
  });
});

/** Time passes, but timers fire only at its end. */
function stall(clock: FakeClock, ms: number): void {
  const now = clock.now.bind(clock);
  const end = now() + ms;
  clock.now = () => end;
  clock.advance(clock.nextIn === undefined ? 0 : Math.max(0, 10_000));
  clock.now = now;
  clock.advance(0);
}
