import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { StreamClock, type PlaceWithGap } from '../../src/client/stream-clock';
import { FakeClock } from '../nodes/fake-clock';

const RATE = 24000;
const FRAME = 480;
const FRAME_MS = 20;

let clock: FakeClock;
let stream: StreamClock;

beforeEach(() => {
  clock = new FakeClock(0);
  stream = new StreamClock(RATE, clock);
});

/** Frames that arrive one every 20 ms. */
function live(frames: number): PlaceWithGap[] {
  return Array.from({ length: frames }, () => {
    clock.advance(FRAME_MS);
    return stream.place(FRAME);
  });
}

describe('the clock of a stream whose server tells the time', () => {
  const T = 1_763_842_000_000;

  it('takes position and time from the server, and counts on between its messages', () => {
    stream.announce({ type: 'clock', position: 0, time: T + 0.4, dropped: 0 });
    assert.deepEqual(stream.place(FRAME), { position: 0, time: T + 0.4, gap: 0 });
    clock.advance(137);
    assert.deepEqual(stream.place(FRAME), { position: 480, time: T + 20.4, gap: 0 });
    assert.equal(stream.exact, true);
  });

  it('jumps exactly over what was dropped', () => {
    stream.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
    stream.place(FRAME);
    stream.announce({ type: 'clock', position: 480 + 960, time: T + 63.2, dropped: 960 });
    assert.deepEqual(stream.place(FRAME), { position: 1440, time: T + 63.2, gap: 960 });
    assert.deepEqual(stream.place(FRAME), { position: 1920, time: T + 83.2, gap: 0 });
  });

  it('counts what was dropped before the first frame', () => {
    stream.announce({ type: 'clock', position: 960, time: T, dropped: 960 });
    assert.deepEqual(stream.place(FRAME), { position: 960, time: T, gap: 960 });
  });

  it('counts from its own zero where the server counts from elsewhere', () => {
    stream.announce({ type: 'clock', position: 1e9, time: T, dropped: 0 });
    assert.deepEqual(stream.place(FRAME), { position: 0, time: T, gap: 0 });
    stream.announce({ type: 'clock', position: 1e9 + FRAME + 240, time: T + 30, dropped: 240 });
    assert.deepEqual(stream.place(FRAME), { position: 720, time: T + 30, gap: 240 });
  });

  it('goes on where the server counts backwards', () => {
    stream.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
    stream.place(FRAME);
    stream.announce({ type: 'clock', position: 0, time: T + 20, dropped: 0 });
    assert.deepEqual(stream.place(FRAME), { position: 480, time: T + 20, gap: 0 });
  });

  it('takes no more than a day for missing: what leaps further began anew', () => {
    stream.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
    stream.place(FRAME);
    stream.announce({ type: 'clock', position: Number.MAX_SAFE_INTEGER, time: T + 20, dropped: 0 });
    assert.deepEqual(stream.place(FRAME), { position: 480, time: T + 20, gap: 0 });
    const day = 24 * 3600 * RATE;
    const first = new StreamClock(RATE, clock);
    first.announce({ type: 'clock', position: 0, time: T, dropped: day * 8 });
    assert.equal(first.place(FRAME).gap, day);
  });

  it('keeps positions whole numbers, however often a server leaps', () => {
    // A rate that no sound has: a day of it is a 54th of the largest whole number, so that few leaps reach that.
    const rate = 1.92e9;
    const day = 24 * 3600 * rate;
    const fast = new StreamClock(rate, clock);
    let next = 0;
    for (let i = 0; i < 200; i++) {
      // It begins anew before each leap, so that its own count stays small.
      fast.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
      fast.place(FRAME);
      fast.announce({ type: 'clock', position: FRAME + day, time: T, dropped: 0 });
      const { position, gap } = fast.place(FRAME);
      assert.ok(gap === 0 || gap === day);
      assert.equal(position, next + FRAME + gap);
      next = position + FRAME;
      assert.ok(Number.isSafeInteger(next), `${next}`);
    }
    assert.ok(next > Number.MAX_SAFE_INTEGER / 3, 'as many leaps are followed as there is room for');
  });

  it('slews a small correction, so that time neither jumps nor wobbles', () => {
    stream.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
    let last = stream.place(FRAME).time;
    for (let second = 1; second <= 10; second++) {
      stream.announce({
        type: 'clock',
        position: second * FRAME,
        time: T + second * FRAME_MS - 8,
        dropped: 0,
      });
      const { time } = stream.place(FRAME);
      assert.ok(Math.abs(time - last - FRAME_MS) <= 0.1 + 1e-3, `a step of ${time - last} ms`);
      last = time;
    }
    assert.ok(Math.abs(last - (T + 199)) < 1e-3);
  });

  it('follows a wall clock that was set', () => {
    stream.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
    stream.place(FRAME);
    stream.announce({ type: 'clock', position: FRAME, time: T + 86_400_000, dropped: 0 });
    assert.equal(stream.place(FRAME).time, T + 86_400_000);
  });

  it('never goes backwards over a gap', () => {
    stream.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
    stream.place(FRAME);
    stream.announce({ type: 'clock', position: 960, time: T + 3, dropped: 480 });
    assert.equal(stream.place(FRAME).time, T + 20);
  });
});

describe('the clock of a stream whose server does not', () => {
  it('counts positions, and finds the time below the jitter', () => {
    let last: PlaceWithGap | undefined;
    for (let i = 1; i <= 500; i++) {
      // Every fifth comes at once, the four before it up to 60 ms late.
      const arrival = i * FRAME_MS + ((5 - (i % 5)) % 5) * 15;
      clock.advance(arrival - clock.now());
      const place = stream.place(FRAME);
      assert.equal(place.position, (i - 1) * FRAME);
      assert.equal(place.gap, 0);
      if (last) assert.ok(place.time > last.time);
      if (last && i > 150) assert.ok(Math.abs(place.time - last.time - FRAME_MS) <= 0.1 + 1e-3);
      last = place;
    }
    const truth = clock.epoch + 499 * FRAME_MS;
    assert.ok(Math.abs((last?.time ?? 0) - truth) < 2, `off by ${(last?.time ?? 0) - truth} ms`);
  });

  it('calls what is late no gap', () => {
    live(200);
    clock.advance(3000);
    for (let i = 0; i < 150; i++) assert.equal(stream.place(FRAME).gap, 0);
    for (const place of live(200)) assert.equal(place.gap, 0);
  });

  it('finds what was lost, once it stays more than 100 ms behind time for 2 s', () => {
    live(200);
    clock.advance(500);
    const places = live(150);
    const found = places.filter((place) => place.gap > 0);
    assert.deepEqual(
      found.map((place) => place.gap),
      [12_000],
    );
    const at = places.indexOf(found[0]!);
    assert.ok(at * FRAME_MS >= 2000 && at * FRAME_MS <= 2100);
    const before = places[at - 1]!;
    assert.equal(found[0]?.position, before.position + FRAME + found[0]!.gap);
    assert.ok(Math.abs(found[0].time - (clock.epoch + clock.now() - (150 - at) * FRAME_MS)) < 12);
  });

  it('does not take 100 ms for a loss', () => {
    live(200);
    clock.advance(90);
    for (const place of live(400)) assert.equal(place.gap, 0);
  });

  it('follows a wall clock that is set forwards, at once', () => {
    const before = live(200).at(-1)!;
    clock.epoch += 3_600_000;
    const [after] = live(1);
    assert.ok(Math.abs(after!.time - before.time - 3_600_000 - FRAME_MS) < 1);
  });

  it('follows a sound card that runs slow', () => {
    for (let i = 0; i < 100_000; i++) {
      clock.advance(FRAME_MS * (1 + 100e-6));
      assert.equal(stream.place(FRAME).gap, 0);
    }
  });

  it('never lets time go backwards, nor positions overlap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 4800 })), {
          maxLength: 300,
        }),
        (arrivals) => {
          const time = new FakeClock(0);
          const subject = new StreamClock(RATE, time);
          let next = 0;
          let lastTime = -Infinity;
          for (const [wait, samples] of arrivals) {
            time.advance(wait);
            const place = subject.place(samples);
            assert.equal(place.position, next + place.gap);
            assert.ok(place.time >= lastTime);
            next = place.position + samples;
            lastTime = place.time;
          }
        },
      ),
    );
  });
});
