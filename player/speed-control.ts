/** How much faster or slower to play, so that sound is neither played ever later nor used up: a few ppm. */

/** So much too early or too late needs no correction, ms. */
const TOLERANCE_MS = 2;
/** Brings a deviation down to a third in 17 s. */
const PPM_PER_MS = 60;
/** Critically damped with it; per second. */
const PPM_PER_MS_SECOND = 0.9;
/** A deviation beyond this is no drift, and teaches nothing about it, ms. */
const MOST_DRIFT_MS = 5;
/** 1.7 cents: nobody hears it. */
const MAX_PPM = 1000;
/** Clocks that are further apart are broken. */
const MAX_DRIFT_PPM = 500;

export class SpeedControl {
  #driftPpm = 0;
  /** Positive: play faster than nominal. */
  ppm = 0;

  /** Call it once a second. @param excessMs sound that waits beyond what is wanted; negative where it is less */
  update(excessMs: number): void {
    const beyond = excessMs - Math.max(-TOLERANCE_MS, Math.min(TOLERANCE_MS, excessMs));
    if (Math.abs(beyond) < MOST_DRIFT_MS) {
      this.#driftPpm = clamp(this.#driftPpm + PPM_PER_MS_SECOND * beyond, MAX_DRIFT_PPM);
    }
    this.ppm = clamp(this.#driftPpm + PPM_PER_MS * beyond, MAX_PPM);
  }

  /** Goes on with the drift alone: what waits has changed at once. */
  settle(): void {
    this.ppm = this.#driftPpm;
  }
}

function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
