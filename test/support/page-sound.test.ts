/** What a page played is judged right: a hole, a jump and a restart are found, where and when they are. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgePage, type PageWitness } from './page-sound';
import { CONTROL_TONE } from './stall-witness';

const RATE = 48_000;
const START = 1_700_000_000_000;
const TONE = { hz: 440, amplitude: 0.5 };
const SECONDS = 4;
const EXPECTED = { tone: TONE, leastSeconds: 3, maxRestarts: 1, stalls: [] };

/** Half a second of silence, then the page's tone on the left; Chromium's own on the right all the time. */
function recorded(left: (seconds: number) => number): {
  startTime: number;
  data: Buffer;
  format: typeof FORMAT;
} {
  const data = Buffer.alloc(SECONDS * RATE * 4);
  for (let i = 0; i < SECONDS * RATE; i++) {
    const seconds = i / RATE - 0.5;
    data.writeInt16LE(Math.round((seconds < 0 ? 0 : left(seconds)) * 32_767), i * 4);
    const control = CONTROL_TONE.amplitude * Math.sin((2 * Math.PI * CONTROL_TONE.hz * i) / RATE);
    data.writeInt16LE(Math.round(control * 32_767), i * 4 + 2);
  }
  return { startTime: START, data, format: FORMAT };
}
const FORMAT = { rate: RATE, channels: 2 } as const;

const tone = (seconds: number): number => TONE.amplitude * Math.sin(2 * Math.PI * TONE.hz * seconds);

/** Buffers of 20 ms; those in `late` begin 5 ms after the one before has ended. */
function witness(...late: number[]): PageWitness {
  let when = 10;
  const starts = Array.from({ length: (SECONDS - 0.5) * 50 }, (_, i) => {
    if (late.includes(i)) when += 0.005;
    const start = { at: START + 500 + i * 20, when, duration: 0.02 };
    when += 0.02;
    return start;
  });
  return { starts, control: [] };
}

describe('a page that plays a tone', () => {
  test('is whole where nothing is missing', () => {
    const heard = judgePage(recorded(tone), witness(), EXPECTED);
    assert.deepEqual(heard.faults, []);
    assert.deepEqual([heard.wholeSeconds, heard.brokenSeconds, heard.isStartWhole], [2, 0, true]);
  });

  for (const [name, left] of [
    ['a hole of 5 ms', (s: number) => (s >= 1.5 && s < 1.505 ? 0 : tone(s))],
    ['a jump by 1 ms', (s: number) => tone(s < 1.5 ? s : s + 0.001)],
    ['10 ms too quiet', (s: number) => tone(s) * (s >= 1.5 && s < 1.51 ? 0.8 : 1)],
  ] as const) {
    test(`has a fault with ${name}, at its time, and the other seconds are whole`, () => {
      const heard = judgePage(recorded(left), witness(), EXPECTED);
      assert.deepEqual([heard.wholeSeconds, heard.brokenSeconds], [1, 1]);
      assert.ok(heard.faults.length > 0);
      for (const { fromMs, toMs } of heard.faults)
        assert.ok(fromMs >= START + 1970 && toMs <= START + 2030, `${fromMs - START} to ${toMs - START} ms`);
    });
  }

  test('may start over once in its first second, and not later', () => {
    const once = judgePage(recorded(tone), witness(20), EXPECTED);
    assert.deepEqual([once.faults, once.restarts], [[], [0.405]]);
    const twice = judgePage(recorded(tone), witness(20, 30), EXPECTED);
    assert.deepEqual([twice.isStartWhole, twice.faults.length], [false, 1]);
    const later = judgePage(recorded(tone), witness(20, 100), EXPECTED);
    assert.deepEqual(
      later.faults.map(({ what }) => what),
      ['a restart at 2.01 s'],
    );
  });

  test('proves nothing where the tone is too short, or missing', () => {
    const short = judgePage(
      recorded((s) => (s < 2 ? tone(s) : 0)),
      witness(),
      EXPECTED,
    );
    const silent = judgePage(
      recorded(() => 0),
      witness(),
      EXPECTED,
    );
    for (const { wholeSeconds, brokenSeconds, faults } of [short, silent])
      assert.deepEqual([wholeSeconds, brokenSeconds, faults.length], [0, 1, 1]);
  });
});
