/** How much faster or slower the source's clock runs than ours, in ppm. */

const WINDOW_MS = 1000;
/** Five minutes of windows: with 1 ms of jitter left in each, the slope is good to about 1 ppm. */
const MAX_WINDOWS = 300;
/** Fewer say nothing. */
const MIN_WINDOWS = 10;
/** A window that is this far off the line belongs to a stall. ms */
const OUTLIER_MS = 40;
/** So many of them in a row are no stall: the source has moved on its own clock. */
const OUTLIERS_OF_A_MOVE = 3;
const PPM = 1e6;

interface Point {
  readonly at: number;
  /** Least of arrival − source time in the window, ms: the packets that nothing held up. */
  readonly offset: number;
}

interface Line {
  readonly slope: number;
  readonly at: number;
  readonly offset: number;
}

/** A straight line through the least delays of each second; its slope is the drift. */
export class ClockDrift {
  private points: Point[] = [];
  private outliers: Point[] = [];
  private line: Line | undefined;
  private windowEnd: number | undefined;
  private least = Infinity;

  /** @param clockMs what the source's clock said */
  add(arrival: number, clockMs: number): void {
    this.windowEnd ??= arrival + WINDOW_MS;
    if (arrival >= this.windowEnd) {
      this.closeWindow({ at: this.windowEnd - WINDOW_MS / 2, offset: this.least });
      this.windowEnd = arrival + WINDOW_MS;
      this.least = Infinity;
    }
    this.least = Math.min(this.least, arrival - clockMs);
  }

  /** Positive where the source is fast; undefined while too little was seen. */
  get ppm(): number | undefined {
    return this.line && this.points.length >= MIN_WINDOWS ? -this.line.slope * PPM : undefined;
  }

  /** Seconds that the figure rests on. */
  get seconds(): number {
    return this.points.length;
  }

  reset(): void {
    this.points = [];
    this.outliers = [];
    this.line = undefined;
    this.windowEnd = undefined;
    this.least = Infinity;
  }

  private closeWindow(point: Point): void {
    if (!Number.isFinite(point.offset)) return;
    if (this.isOutlier(point)) {
      this.outliers.push(point);
      if (this.outliers.length < OUTLIERS_OF_A_MOVE) return;
      this.points = this.outliers;
    } else {
      this.points.push(point);
      if (this.points.length > MAX_WINDOWS) this.points.shift();
    }
    this.outliers = [];
    this.line = fit(this.points);
  }

  private isOutlier({ at, offset }: Point): boolean {
    if (!this.line) return false;
    return Math.abs(offset - (this.line.offset + this.line.slope * (at - this.line.at))) > OUTLIER_MS;
  }
}

/** Least squares, about the mean, so that large clock readings cost no precision. */
function fit(points: readonly Point[]): Line {
  let [at, offset] = [0, 0];
  for (const point of points) {
    at += point.at / points.length;
    offset += point.offset / points.length;
  }
  let [along, across] = [0, 0];
  for (const point of points) {
    along += (point.at - at) ** 2;
    across += (point.at - at) * (point.offset - offset);
  }
  return { slope: along === 0 ? 0 : across / along, at, offset };
}
