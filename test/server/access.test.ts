import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { originAllowed, parseOrigins, Secret } from '../../src/server/access';
import { networkOf } from '../../src/server/client-address';
import { GuessThrottle } from '../../src/server/guess-throttle';
import { FakeClock } from '../nodes/fake-clock';

describe('Secret', () => {
  it('matches itself alone, whatever the length of the other', () => {
    const secret = new Secret('pass-word');
    assert.equal(secret.matches('pass-word'), true);
    for (const other of ['', 'pass-wor', 'pass-word ', 'PASS-WORD', 'x'.repeat(16_000)]) {
      assert.equal(secret.matches(other), false, other.slice(0, 20));
    }
  });
});

describe('GuessThrottle', () => {
  function attempt(throttle: GuessThrottle, clock: FakeClock, address: string): number {
    const asked = clock.now();
    let answeredAt = -1;
    throttle.reject(address, () => (answeredAt = clock.now()));
    if (answeredAt < 0) clock.advance(31_000);
    return answeredAt - asked;
  }

  it('answers the first ten in a minute at once, then each a second later than the one before', () => {
    const clock = new FakeClock();
    const throttle = new GuessThrottle(clock);
    const rejected: number[] = [];
    for (let i = 0; i < 13; i++) throttle.reject('10.0.0.1', () => rejected.push(clock.now() - 1000));
    assert.deepEqual(rejected, Array(10).fill(0));
    clock.advance(3000);
    assert.deepEqual(rejected.slice(10), [1000, 2000, 3000]);
  });

  it('waits 30 s at most, and forgets after a minute', () => {
    const clock = new FakeClock();
    const throttle = new GuessThrottle(clock);
    for (let i = 0; i < 100; i++) throttle.reject('10.0.0.1', () => undefined);
    assert.equal(attempt(throttle, clock, '10.0.0.1'), 30_000);
    clock.advance(61_000);
    assert.equal(attempt(throttle, clock, '10.0.0.1'), 0);
  });

  it('slows nobody at another address', () => {
    const clock = new FakeClock();
    const throttle = new GuessThrottle(clock);
    for (let i = 0; i < 50; i++) throttle.reject('10.0.0.1', () => undefined);
    assert.equal(attempt(throttle, clock, '10.0.0.2'), 0);
  });

  it('puts off a thousand at once at most, and forgets who has left', () => {
    const clock = new FakeClock();
    const throttle = new GuessThrottle(clock);
    let answered = 0;
    const cancels = Array.from({ length: 1010 }, () => throttle.reject('10.0.0.1', () => answered++));
    assert.equal(answered, 10);
    throttle.reject('10.0.0.1', () => answered++);
    assert.equal(answered, 11, 'the thousand-and-first is answered at once');
    for (const cancel of cancels) cancel();
    assert.equal(clock.pending, 0);
  });

  it('remembers ten thousand addresses at most', () => {
    const clock = new FakeClock();
    const throttle = new GuessThrottle(clock);
    for (let i = 0; i < 11; i++) throttle.reject('first', () => undefined);
    for (let i = 0; i < 10_000; i++) throttle.reject(`10.${i >> 8}.${i & 255}.1`, () => undefined);
    assert.equal(attempt(throttle, clock, 'first'), 0);
  });
});

describe('networkOf', () => {
  it('is an IPv4 address itself, and the /64 of an IPv6 address', () => {
    assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
    assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(networkOf('2001:db8:1:2:aaaa::1'), networkOf('2001:db8:1:2:bbbb:cccc:dddd:eeee'));
    assert.notEqual(networkOf('2001:db8:1:3::1'), networkOf('2001:db8:1:2::1'));
    assert.equal(networkOf('::1'), '0:0:0:0');
    assert.equal(networkOf('no address'), 'no address');
  });
});

describe('origins', () => {
  it('lets any pass where none is listed, and who is no browser always', () => {
    assert.equal(originAllowed('https://evil.example', []), true);
    assert.equal(originAllowed(undefined, ['https://good.example']), true);
  });

  it('lets only the listed pass', () => {
    const allowed = parseOrigins(' https://good.example/ , http://localhost:3000,,');
    assert.deepEqual(allowed, ['https://good.example', 'http://localhost:3000']);
    assert.equal(originAllowed('https://good.example', allowed), true);
    assert.equal(originAllowed('https://good.example.evil.example', allowed), false);
    assert.equal(originAllowed('null', allowed), false);
  });

  it('are read as browsers write them', () => {
    const list = 'HTTPS://Good.Example:443,http://[::1]:3000,chrome-extension://abc,null';
    assert.deepEqual(parseOrigins(list), [
      'https://good.example',
      'http://[::1]:3000',
      'chrome-extension://abc',
      'null',
    ]);
  });

  it('that could never match are refused', () => {
    for (const wrong of ['*', 'good.example', 'https://good.example/app', 'https://', 'https://*.x y']) {
      assert.throws(() => parseOrigins(`https://ok.example,${wrong}`), {
        code: 'ORGO_BAD_SETTING',
        message: /allowedOrigins holds .*scheme:\/\/host/,
      });
    }
  });
});
