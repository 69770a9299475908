/** By how much sound is to be stretched so that the queue stays where it should. */

export interface QueueReport {
  /** Positive: the source's clock is fast. */
  readonly driftPpm: number | undefined;
  /** Average wait in the queue, ms. */
  readonly waitMs: number | undefined;
  readonly targetMs: number;
}

/** A smaller drift is left to the queue: it takes more than an hour to move it by one frame. */
const LEAST_PPM = 5;
/** No clock is off by more; beyond it the queue's bound acts. */
const MOST_PPM = 15_000;
/** A wait that is off by no more is jitter. ms */
const TOLERANCE_MS = 15;
/** A wait that is too long is worked off over this time. s */
const CORRECT_OVER_S = 20;
/** Half a per cent changes the pitch by less than a tenth of a semitone. */
const MOST_CORRECTION_PPM = 5000;
/** The ratio glides. */
const STEP_PPM = 1000;
/** On average a packet waits half a frame less than the target. */
const HALF_FRAME_MS = 10;

/** The measured drift, and a correction in proportion to the error of the queue; asked once a second. */
export class RateControl {
  private ppm = 0;

  /** Input samples for each output sample. */
  get ratio(): number {
    return 1 + this.ppm / 1e6;
  }

  update(report: QueueReport): void {
    const wanted = driftOf(report) + correctionOf(report);
    this.ppm += clamp(wanted - this.ppm, STEP_PPM);
  }

  reset(): void {
    this.ppm = 0;
  }
}

/** Whether the queue can't be kept where it should be without stretching. */
export function needsStretching(report: QueueReport): boolean {
  return driftOf(report) !== 0 || correctionOf(report) !== 0;
}

function driftOf({ driftPpm = 0 }: QueueReport): number {
  return Math.abs(driftPpm) < LEAST_PPM ? 0 : clamp(driftPpm, MOST_PPM);
}

function correctionOf({ waitMs, targetMs }: QueueReport): number {
  if (waitMs === undefined) return 0;
  const error = waitMs - (targetMs - HALF_FRAME_MS);
  if (Math.abs(error) <= TOLERANCE_MS) return 0;
  return clamp((error * 1000) / CORRECT_OVER_S, MOST_CORRECTION_PPM);
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(-most, value));
}
