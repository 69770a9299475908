/** The witnesses see a stall where and when there was one, and a fault is excused by such a one alone. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import {
  brokenControlTone,
  causeOf,
  CONTROL_TONE,
  explained,
  lateMessages,
  untilProved,
  type Attempt,
  type Fault,
  type Stall,
} from './stall-witness';

const RATE = CONTROL_TONE.sampleRate;
const START = 1_700_000_000_000;

/** One second of silence, one of the control tone beside the example's, and one of silence; `holeMs` of it are lost. */
function channel(holeMs = 0): Float64Array {
  const tone = (i: number, hz: number, amplitude: number): number =>
    amplitude * Math.sin((2 * Math.PI * hz * i) / RATE);
  const hole = (holeMs * RATE) / 1000;
  return Float64Array.from({ length: 3 * RATE }, (_, i) => {
    if (i < RATE || i >= 2 * RATE) return 0;
    const heard = i < 1.5 * RATE ? i : i + hole;
    return tone(heard, CONTROL_TONE.hz, CONTROL_TONE.amplitude) + tone(i, 440, 0.5);
  });
}

function stall(fromMs: number, lostMs: number): Stall {
  return { what: 'a stall', fromMs, toMs: fromMs + lostMs, lostMs };
}

function fault(fromMs: number): Fault {
  return { what: 'a hole', fromMs, toMs: fromMs + 10, causeMs: 15 };
}

describe('the control messages', () => {
  const punctual = Array.from({ length: 100 }, (_, i) => ({
    at: START + i * 10,
    latenessMs: 5000 + (i % 4),
  }));

  test('are no stall where they are punctual', () =>
    assert.ok(lateMessages(punctual).every(({ lostMs }) => lostMs < 4)));

  test('are one, then and as long, where one is late', () => {
    const [late] = lateMessages([...punctual, { at: START + 5000, latenessMs: 5020 }]).filter(
      ({ lostMs }) => lostMs > 4,
    );
    assert.deepEqual(late, {
      what: 'a control message was late',
      fromMs: START + 4980,
      toMs: START + 5000,
      lostMs: 20,
    });
  });
});

describe("Chromium's own tone", () => {
  test('is not broken where it is whole', () => assert.deepEqual(brokenControlTone(channel(), START), []));

  test('is broken where and when a millisecond of it is missing', () => {
    const stalls = brokenControlTone(channel(1), START);
    assert.ok(stalls.length === 1 || stalls.length === 2, `${stalls.length} windows`);
    for (const { fromMs, toMs } of stalls) assert.ok(fromMs <= START + 1510 && toMs >= START + 1490);
  });
});

describe('the cause of a fault', () => {
  test('is the longest stall of about that time', () => {
    const stalls = [stall(START, 20), stall(START + 100, 30), stall(START + 5000, 90)];
    assert.equal(causeOf(fault(START + 300), stalls), stalls[1]);
  });

  for (const [name, stalls] of [
    ['there was none', []],
    ['it was shorter than the fault needs', [stall(START + 1000, 14)]],
    ['it was long before', [stall(START, 400)]],
    ['it came after', [stall(START + 1200, 40)]],
  ] as const) {
    test(`is not a stall where ${name}`, () => {
      assert.equal(causeOf(fault(START + 1000), stalls), undefined);
      assert.throws(() => explained({ faults: [fault(START + 1000)], stalls }), /no witness saw a stall/);
    });
  }
});

describe('attempts', () => {
  const ignore = { diagnostic: () => undefined } as unknown as TestContext;
  const whole: Attempt = { faults: [], stalls: [stall(START, 100)] };
  const stalled: Attempt = { faults: [fault(START)], stalls: [stall(START, 100)] };
  const broken: Attempt = { faults: [fault(START), fault(START + 2000)], stalls: [stall(START, 100)] };

  async function run(...attempts: Attempt[]): Promise<number> {
    let count = 0;
    await untilProved(ignore, 2, () => Promise.resolve(attempts[count++] ?? stalled));
    return count;
  }

  test('end with the first that is whole', async () => assert.equal(await run(stalled, whole), 2));

  test('fail with a fault that no stall explains, though one explains another', () =>
    assert.rejects(run(broken, whole), /no witness saw a stall/));

  test('fail where too many are void', () => assert.rejects(run(), /in each of 3 attempts/));
});
