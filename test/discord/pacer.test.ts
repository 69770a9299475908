/** What leaves for Discord in each 20 ms. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_RECORDING_MS, RECORDING_WAIT_MS } from '../../src/discord/pacer';
import { Simulation, sound } from './support/simulation';

/** A live source that brings packet `first`, `first` + 1 … every 20 ms of its own clock. */
function play(simulation: Simulation, first: number, count: number, periodMs = 20): void {
  for (let i = 0; i < count; i++) {
    simulation.push(sound(first + i));
    simulation.runUntil(simulation.now + periodMs);
  }
}

/** How long packet `n` waited that came at `1000 + 20 n`. */
function waits(simulation: Simulation, from: number): number[] {
  return simulation.sent
    .filter((sent) => sent.opus.length > 3)
    .map((sent) => sent.at - 1000 - sent.opus.readUInt32BE() * 20)
    .slice(from);
}

describe('a live source', () => {
  test('is sent packet by packet, in order, each at most 40 ms after it came', () => {
    const simulation = new Simulation();
    play(simulation, 0, 500);
    simulation.pacer.end();
    simulation.runUntil(simulation.now + 1000);
    const numbers = simulation.numbers.filter((each) => each !== 'silence');
    assert.deepEqual(
      numbers,
      Array.from({ length: 500 }, (_, i) => i),
    );
    assert.ok(Math.max(...waits(simulation, 0)) <= 40);
  });

  test('has RTP times that are the time of sending, through pauses too', () => {
    const simulation = new Simulation();
    play(simulation, 0, 50);
    simulation.pacer.end();
    simulation.runUntil(simulation.now + 7013);
    play(simulation, 100, 50);
    const origin = simulation.sent[0]!;
    for (const { at, rtpTime } of simulation.sent) {
      const expected = at - origin.at;
      assert.ok(Math.abs((rtpTime - origin.rtpTime) / 48 - expected) <= 20, `${rtpTime} at ${at}`);
    }
  });

  test('that ends is followed by five frames of silence, and the speaking flag', () => {
    const simulation = new Simulation();
    play(simulation, 0, 10);
    simulation.pacer.end();
    simulation.runUntil(simulation.now + 2000);
    assert.deepEqual(simulation.numbers.slice(-6), [
      9,
      'silence',
      'silence',
      'silence',
      'silence',
      'silence',
    ]);
    assert.deepEqual(simulation.speaking, [true, false]);
    assert.equal(simulation.pacer.nextDue, undefined);
  });

  test('that merely stops is filled with silence for one second', () => {
    const simulation = new Simulation();
    play(simulation, 0, 10);
    simulation.runUntil(simulation.now + 5000);
    const silent = simulation.numbers.filter((each) => each === 'silence').length;
    assert.ok(silent >= 50 && silent <= 56, `${silent}`);
    assert.deepEqual(simulation.speaking, [true, false]);
  });

  test('that stalls for 500 ms is at its old latency as soon as it is back, without a burst', () => {
    const simulation = new Simulation();
    play(simulation, 0, 100);
    // Everything of the stall arrives at once.
    simulation.runUntil(simulation.now + 500);
    for (let i = 100; i < 125; i++) simulation.push(sound(i));
    play(simulation, 125, 200);
    assert.ok(Math.max(...waits(simulation, 110)) <= 40);
    assertNoBurst(simulation);
    assert.ok(simulation.pacer.stats.dropped >= 20);
  });

  test('is bounded: a burst drops the oldest, down to the target, and counts them', () => {
    const simulation = new Simulation({ maxQueueMs: 160 });
    play(simulation, 0, 20);
    for (let i = 20; i < 29; i++) simulation.push(sound(i));
    assert.ok(simulation.pacer.stats.queueMs <= 160);
    simulation.runUntil(simulation.now + 40);
    assert.ok(simulation.pacer.stats.dropped > 0);
    assert.ok(simulation.numbers.includes(28) || simulation.numbers.includes(27));
  });

  test('that comes in clumps is given a deeper queue, and nothing is missing', () => {
    const simulation = new Simulation();
    for (let clump = 0; clump < 100; clump++) {
      for (let i = 0; i < 3; i++) simulation.push(sound(clump * 3 + i));
      simulation.runUntil(simulation.now + 60);
    }
    const before = simulation.pacer.stats.missing;
    for (let clump = 100; clump < 200; clump++) {
      for (let i = 0; i < 3; i++) simulation.push(sound(clump * 3 + i));
      simulation.runUntil(simulation.now + 60);
    }
    assert.ok(simulation.pacer.stats.targetMs >= 60);
    assert.equal(simulation.pacer.stats.missing, before);
    assert.equal(simulation.pacer.stats.dropped, 0);
  });
});

describe('the process that is held up', () => {
  test('for 600 ms sends no more than two frames at once, and keeps RTP time', () => {
    const simulation = new Simulation();
    play(simulation, 0, 50);
    const before = simulation.sent.at(-1)!;
    simulation.block(600);
    for (let i = 50; i < 80; i++) simulation.push(sound(i));
    simulation.pacer.tick(simulation.now);
    play(simulation, 80, 50);
    assertNoBurst(simulation);
    const last = simulation.sent.at(-1)!;
    assert.ok(Math.abs((last.rtpTime - before.rtpTime) / 48 - (last.at - before.at)) <= 20);
    assert.ok(waits(simulation, 60).every((wait) => wait <= 40));
  });
});

describe('a clock that is off', () => {
  test('by 1 % never makes the queue longer than its bound, nor RTP time wrong, in ten minutes', () => {
    const packet = sound(0);
    for (const factor of [0.99, 1.01]) {
      const simulation = new Simulation({ remembers: 10 });
      const origin = 1000;
      for (let i = 0; i < 30_000; i++) {
        simulation.push({ ...packet, sourceMs: i * 20, clockMs: i * 20 });
        simulation.runUntil(origin + (i + 1) * 20 * factor);
        assert.ok(simulation.pacer.stats.queueMs <= 160);
      }
      const [first, last] = [simulation.sent[0]!, simulation.sent.at(-1)!];
      assert.ok(Math.abs((last.rtpTime - first.rtpTime) / 48 - (last.at - first.at)) <= 40);
      const ppm = simulation.pacer.stats.driftPpm ?? 0;
      assert.ok(Math.abs(ppm - (1 / factor - 1) * 1e6) < 300, `${factor}: ${ppm} ppm`);
    }
  });

  test('by 100 ppm costs silent packets only', () => {
    const packet = sound(0);
    for (const ppm of [100, -100]) {
      const simulation = new Simulation({ remembers: 10 });
      // Half an hour; a pause of 200 ms every 5 s.
      for (let i = 0; i < 90_000; i++) {
        simulation.push({ ...packet, sourceMs: i * 20, clockMs: i * 20, silent: i % 250 < 10 });
        simulation.runUntil(1000 + ((i + 1) * 20) / (1 + ppm / 1e6));
      }
      const { dropped, missing, adjusted } = simulation.pacer.stats;
      assert.equal(dropped, 0, `${ppm} ppm`);
      // The beginning waits for its second packet.
      assert.ok(missing <= 2, `${ppm} ppm: ${missing} missing`);
      // 100 ppm of half an hour are 180 ms.
      assert.ok(adjusted >= 8 && adjusted <= 10, `${ppm} ppm: ${adjusted}`);
      assert.ok(Math.abs((simulation.pacer.stats.driftPpm ?? 0) - ppm) < 5);
    }
  });
});

describe('a recording', () => {
  test('is queued whole and spoken in real time', () => {
    const simulation = new Simulation();
    for (let i = 0; i < 3000; i++) simulation.push(sound(i, { live: false }));
    simulation.pacer.end();
    simulation.runUntil(1000 + 59_000);
    assert.ok(simulation.numbers.at(-1) === 2949 || simulation.numbers.at(-1) === 2950);
    simulation.runUntil(1000 + 70_000);
    assert.equal(simulation.numbers.filter((each) => each !== 'silence').length, 3000);
    assert.deepEqual(simulation.speaking, [true, false]);
  });

  test('of two hours is cut at ten minutes, and the rest counted', () => {
    const simulation = new Simulation();
    const packet = sound(0, { live: false });
    for (let i = 0; i < 360_000; i++) simulation.push(packet);
    assert.equal(simulation.pacer.stats.recordingMs, MAX_RECORDING_MS);
    assert.equal(simulation.pacer.stats.recordingDropped, 330_000);
  });

  test('goes before live sound, which is left out meanwhile and current afterwards', () => {
    const simulation = new Simulation();
    for (let i = 0; i < 50; i++) simulation.push(sound(1000 + i, { live: false }));
    play(simulation, 0, 100);
    const live = simulation.numbers.filter((each) => typeof each === 'number' && each < 1000);
    assert.ok(Number(live[0]) >= 48, String(live[0]));
    assert.equal(simulation.pacer.stats.skipped, live[0]);
  });

  test('is ended by live sound where the setting says so', () => {
    const simulation = new Simulation({ liveDuringRecording: 'interrupt' });
    for (let i = 0; i < 50; i++) simulation.push(sound(1000 + i, { live: false }));
    simulation.runUntil(simulation.now + 200);
    play(simulation, 0, 20);
    assert.equal(simulation.pacer.stats.recordingMs, 0);
    assert.ok(simulation.pacer.stats.recordingDropped >= 38);
    assert.ok(simulation.numbers.includes(10));
  });
});

describe('while nothing may leave', () => {
  test('nothing leaves: live sound is dropped and counted, a recording waits', () => {
    const simulation = new Simulation();
    simulation.pacer.setOpen(false);
    play(simulation, 0, 50);
    simulation.push(sound(1000, { live: false }));
    simulation.runUntil(simulation.now + 1000);
    assert.deepEqual(simulation.sent, []);
    assert.equal(simulation.pacer.stats.dropped, 50);
    simulation.pacer.setOpen(true);
    simulation.runUntil(simulation.now + 100);
    assert.equal(simulation.numbers[0], 1000);
  });

  test('a recording does not wait for ever', () => {
    const simulation = new Simulation();
    simulation.pacer.setOpen(false);
    simulation.push(sound(1000, { live: false }));
    simulation.runUntil(simulation.now + RECORDING_WAIT_MS + 100);
    simulation.pacer.setOpen(true);
    simulation.runUntil(simulation.now + 1000);
    assert.deepEqual(simulation.sent, []);
    assert.equal(simulation.pacer.stats.recordingDropped, 1);
  });
});

/** Three frames in 20 ms are the most that is allowed. */
function assertNoBurst(simulation: Simulation): void {
  simulation.sent.forEach(({ at }, i) => {
    const fourth = simulation.sent[i + 3];
    assert.ok(!fourth || fourth.at - at > 20, `four frames from ${at} to ${fourth?.at ?? 0}`);
  });
}
