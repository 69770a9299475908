/** Witnesses beside a page that plays our sound: what breaks them, too, is the machine's doing and not ours. */
import { measureTone, phaseStep } from './tone';

/** What Chromium itself plays on the right, beside the example. */
export const CONTROL_TONE = { hz: 1500, sampleRate: 48_000, amplitude: 0.3 };
const WINDOW_SAMPLES = 480;
/** The example's own tone beside it blurs a window by less than this; 0.3 ms of gap makes 2.8 rad. */
const MAX_CONTROL_STEP = 0.4;
/** The example plays 20 ms after a message came: when a control message is this late, ours is too, whoever sent it. */
const STALL_MS = 15;

/**
 * What shows, without a line of ours, that this machine stalled while a page played.
 * @param latenessMs of each control message, on a clock whose zero is not known
 * @param right the channel of Chromium's own tone, at 48 kHz
 */
export function stallsSeen(latenessMs: readonly number[], right: Float64Array): string[] {
  const punctual = latenessMs.reduce((least, ms) => Math.min(least, ms), Infinity);
  const late = latenessMs.filter((ms) => ms - punctual >= STALL_MS);
  const worst = latenessMs.reduce((most, ms) => Math.max(most, ms - punctual), 0);
  const broken = brokenControlWindows(right);
  return [
    ...(late.length > 0 ? [`${late.length} control messages late, by up to ${worst.toFixed(0)} ms`] : []),
    ...(broken > 0 ? [`Chromium's own tone broke in ${broken} windows`] : []),
  ];
}

function brokenControlWindows(samples: Float64Array): number {
  const windows = Array.from({ length: Math.floor(samples.length / WINDOW_SAMPLES) }, (_, i) =>
    measureTone(samples, CONTROL_TONE, i * WINDOW_SAMPLES, (i + 1) * WINDOW_SAMPLES),
  );
  const isTone = ({ amplitude }: { amplitude: number }): boolean => amplitude > CONTROL_TONE.amplitude / 2;
  const onset = windows.findIndex(isTone);
  const end = windows.findLastIndex(isTone);
  return windows.filter((now, i) => {
    const previous = windows[i - 1];
    // Its first and last window hold only a part of it.
    if (previous === undefined || i <= onset + 1 || i >= end) return false;
    return !isTone(now) || Math.abs(phaseStep(previous.phase, now.phase)) > MAX_CONTROL_STEP;
  }).length;
}
