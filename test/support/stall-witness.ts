/** What may have been the machine's fault and not ours: a fault counts as such only where a witness saw a stall then. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { measureTone, phaseStep } from './tone';

/** What Chromium itself plays on the right, beside the example. */
export const CONTROL_TONE = { hz: 1500, sampleRate: 48_000, amplitude: 0.3 };
const WINDOW_SAMPLES = 480;
const WINDOW_MS = 10;
/** The example's own tone beside it blurs a window by less than this; 0.3 ms of gap makes 2.8 rad. */
const MAX_CONTROL_STEP = 0.4;
/** Sound is heard this long after what made it, at most: a fault may show itself as late. */
const REACH_MS = 500;
/** The clocks of two processes, and the time of a sample that was recorded, are this exact. */
const CLOCK_MS = 50;

/** Something that a witness saw; times are epoch ms. */
export interface Stall {
  readonly what: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** How long something stood still in that time. */
  readonly lostMs: number;
}

/** Something wrong with the sound; times are epoch ms. */
export interface Fault {
  readonly what: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** A shorter stall can't be the cause. */
  readonly causeMs: number;
}

/** One attempt to prove something. */
export interface Attempt {
  readonly faults: readonly Fault[];
  readonly stalls: readonly Stall[];
}

/** The longest stall that may be the cause of `fault`. */
export function causeOf(fault: Fault, stalls: readonly Stall[]): Stall | undefined {
  return stalls
    .filter(({ lostMs }) => lostMs >= fault.causeMs)
    .filter(({ fromMs, toMs }) => fromMs <= fault.toMs + CLOCK_MS && toMs >= fault.fromMs - REACH_MS)
    .reduce<Stall | undefined>(
      (most, stall) => (stall.lostMs > (most?.lostMs ?? 0) ? stall : most),
      undefined,
    );
}

/** Fails unless a witness explains each fault. @returns what was wrong, and the longest stall then, in words */
export function explained({ faults, stalls }: Attempt): string[] {
  const causes = new Map<string, Stall>();
  for (const fault of faults) {
    const cause = causeOf(fault, stalls);
    assert.ok(cause, `${fault.what}, and no witness saw a stall of ${fault.causeMs} ms then`);
    if (cause.lostMs > (causes.get(fault.what)?.lostMs ?? 0)) causes.set(fault.what, cause);
  }
  return [...causes].map(([what, { what: cause, lostMs }]) => `${what}: ${cause}, ${lostMs.toFixed(0)} ms`);
}

/**
 * Repeats `attempt` until it has no fault. One is void only where a witness explains each of its faults; it is told,
 * and one void more than `maxVoids` fails the test.
 */
export async function untilProved(
  t: TestContext,
  maxVoids: number,
  attempt: () => Promise<Attempt>,
): Promise<void> {
  for (let voids = 0; voids <= maxVoids; voids++) {
    const reasons = explained(await attempt());
    if (reasons.length === 0) return;
    t.diagnostic(`void ${voids + 1} of at most ${maxVoids}: ${reasons.join('; ')}`);
  }
  assert.fail(`the machine stalled in each of ${maxVoids + 1} attempts: nothing was proved`);
}

/** A message of the control stream, as it came into the page. */
export interface ControlMessage {
  /** Epoch ms */
  readonly at: number;
  /** On a clock whose zero is not known. */
  readonly latenessMs: number;
}

/** Messages that came late, whoever sent them. */
export function lateMessages(messages: readonly ControlMessage[]): Stall[] {
  const punctual = messages.reduce((least, { latenessMs }) => Math.min(least, latenessMs), Infinity);
  return messages
    .map(({ at, latenessMs }) => ({ at, lostMs: latenessMs - punctual }))
    .map(({ at, lostMs }) => ({ what: 'a control message was late', fromMs: at - lostMs, toMs: at, lostMs }));
}

/**
 * Where Chromium's own tone broke.
 * @param samples of its channel, at 48 kHz @param startTime of the first one, epoch ms
 */
export function brokenControlTone(samples: Float64Array, startTime: number): Stall[] {
  const windows = Array.from({ length: Math.floor(samples.length / WINDOW_SAMPLES) }, (_, i) =>
    measureTone(samples, CONTROL_TONE, i * WINDOW_SAMPLES, (i + 1) * WINDOW_SAMPLES),
  );
  const isTone = ({ amplitude }: { amplitude: number }): boolean => amplitude > CONTROL_TONE.amplitude / 2;
  const onset = windows.findIndex(isTone);
  const end = windows.findLastIndex(isTone);
  return windows.flatMap((now, i) => {
    const previous = windows[i - 1];
    // Its first and last window hold only a part of it.
    if (previous === undefined || i <= onset + 1 || i >= end) return [];
    const isWhole = isTone(now) && Math.abs(phaseStep(previous.phase, now.phase)) <= MAX_CONTROL_STEP;
    const fromMs = startTime + (i - 1) * WINDOW_MS;
    const toMs = fromMs + 2 * WINDOW_MS;
    // Its phase tells that something is missing, not how much: at most all of it is taken for lost.
    return isWhole ? [] : [{ what: "Chromium's own tone broke", fromMs, toMs, lostMs: toMs - fromMs }];
  });
}
