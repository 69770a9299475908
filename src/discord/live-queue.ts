/** Live packets that wait for their turn: never more than the bound, and as many as the jitter needs. */
import { ArrivalJitter } from './arrival-jitter';
import { ClockDrift } from './clock-drift';
import { FRAME_MS, type SoundPacket } from './sound-packet';

/** The one that goes out next, and one that may come late. */
const LEAST_TARGET_FRAMES = 2;
/** The target is worked out anew after so many arrivals, and at each of the first ones. */
const TARGET_EVERY = 25;
/** A depth is believed once it has held for so many frames: two seconds. */
const JUDGED_FRAMES = 100;
/** After sound that was missing, what piled up meanwhile is left out for so many frames. */
const CATCH_UP_FRAMES = 10;

/** What to do in this frame's time. */
export type Turn =
  | { readonly kind: 'send'; readonly packet: SoundPacket }
  /** Nothing is here: silence stands in. */
  | { readonly kind: 'missing' }
  /** Silence is said a little longer, since the source's clock is slow. */
  | { readonly kind: 'stretch' };

/** A source slower than this runs its queue dry in time. */
const SLOW_PPM = -3;

interface Judgement {
  frames: number;
  /** Least number of packets left after one was taken: those were never needed. */
  depth: number;
  /** Average. */
  waitMs: number;
}

interface Waiting {
  readonly packet: SoundPacket;
  readonly arrival: number;
}

export class LiveQueue {
  readonly drift = new ClockDrift();
  private readonly jitter: ArrivalJitter;
  private readonly maxFrames: number;
  private waiting: Waiting[] = [];
  private target = LEAST_TARGET_FRAMES;
  private arrivals = 0;
  /** Until the target is reached, nothing is taken out. */
  private filling = true;
  /** Something of this source was sent: what is missing now is a hole in it. */
  private hasBegun = false;
  private catchUp = 0;
  private running = emptyJudgement();
  /** Of the last full window; undefined where something has changed since. */
  private judged: Judgement | undefined;
  /** Left out because they would have been late. */
  dropped = 0;
  /** Silent packets left out or said twice, because of drift. */
  adjusted = 0;

  constructor(maxQueueMs: number) {
    this.maxFrames = Math.max(LEAST_TARGET_FRAMES, Math.floor(maxQueueMs / FRAME_MS));
    this.jitter = new ArrivalJitter(maxQueueMs);
  }

  get length(): number {
    return this.waiting.length;
  }

  get targetFrames(): number {
    return this.target;
  }

  /** How long packets waited on average in the last full window, ms; undefined where none has passed yet. */
  get waitMs(): number | undefined {
    return this.judged?.waitMs;
  }

  push(packet: SoundPacket, now: number): void {
    this.jitter.add(now, packet.sourceMs);
    this.drift.add(now, packet.clockMs);
    this.arrivals++;
    if (this.arrivals < TARGET_EVERY || this.arrivals % TARGET_EVERY === 0) this.updateTarget();
    this.waiting.push({ packet, arrival: now });
    // What is too much goes at once, down to the target: one hole instead of many.
    if (this.waiting.length > this.maxFrames) this.dropDownTo(this.target);
  }

  /** What goes out at `now`. @param ending no more will come: nothing is held back */
  next(now: number, ending: boolean): Turn {
    const [oldest] = this.waiting;
    if (!oldest) {
      this.startFilling();
      return { kind: 'missing' };
    }
    if (this.filling && !ending) {
      const enough = this.waiting.length >= this.target || now - oldest.arrival >= this.target * FRAME_MS;
      if (!enough) return { kind: 'missing' };
      this.catchUp = this.hasBegun ? CATCH_UP_FRAMES : 0;
    }
    this.filling = false;
    this.hasBegun = true;
    if (this.catchUp > 0) {
      this.catchUp--;
      if (this.waiting.length > this.target) this.dropDownTo(this.target);
    }
    return this.take(now, ending);
  }

  /** Forgets everything that waits; it counts as dropped. */
  clear(): void {
    this.dropDownTo(0);
    this.startFilling();
  }

  /** The source has ended: the next one has its own clock. */
  endSource(): void {
    this.jitter.reset();
    this.drift.reset();
    this.target = LEAST_TARGET_FRAMES;
    this.arrivals = 0;
    this.hasBegun = false;
    this.startFilling();
  }

  private take(now: number, ending: boolean): Turn {
    const { judged } = this;
    if (judged && !ending && this.waiting[0]?.packet.silent === true) {
      const tooDeep = judged.depth >= this.target;
      const tooShallow = judged.depth === 0 && (this.drift.ppm ?? 0) < SLOW_PPM;
      if (tooDeep || tooShallow) {
        this.judgeAnew();
        this.adjusted++;
        if (tooShallow) return { kind: 'stretch' };
        this.waiting.shift();
      }
    }
    const taken = this.waiting.shift();
    if (!taken) return { kind: 'missing' };
    this.judge(now - taken.arrival);
    return { kind: 'send', packet: taken.packet };
  }

  private judge(waitMs: number): void {
    this.running.depth = Math.min(this.running.depth, this.waiting.length);
    this.running.waitMs += waitMs / JUDGED_FRAMES;
    if (++this.running.frames < JUDGED_FRAMES) return;
    this.judged = this.running;
    this.running = emptyJudgement();
  }

  private judgeAnew(): void {
    this.judged = undefined;
    this.running = emptyJudgement();
  }

  private startFilling(): void {
    this.filling = true;
    this.judgeAnew();
  }

  private updateTarget(): void {
    const frames = Math.ceil((this.jitter.coveredMs + FRAME_MS) / FRAME_MS);
    this.target = Math.min(
      Math.max(LEAST_TARGET_FRAMES, frames),
      Math.max(LEAST_TARGET_FRAMES, this.maxFrames - 1),
    );
  }

  private dropDownTo(frames: number): void {
    const excess = this.waiting.length - frames;
    if (excess <= 0) return;
    this.waiting.splice(0, excess);
    this.dropped += excess;
    this.judgeAnew();
  }
}

function emptyJudgement(): Judgement {
  return { frames: 0, depth: Infinity, waitMs: 0 };
}
