/** Gives each stretch of sound that arrives its position, its capture time, and the gap before it. */
import type { Clock } from '../audio/clock';
import { msOfSamples, samplesInMs } from '../audio/format';
import type { Place } from '../audio/place';
import { SampleClock } from '../audio/sample-clock';
import type { ClockMessage } from '../protocol/messages';
import { frameSamples } from '../protocol/stream-format';

/** Without the server's clock: if samples stay later than this, sound was lost. It is not just late. */
const LOSS_MS = 100;
/** They must stay that late for this long: sound that is only late catches up sooner. */
const LOSS_PROOF_MS = 2000;
/** Corrections move `time` by at most this much per ms of sound: 0.1 ms a frame of 20 ms. */
const SLEW_PER_MS = 5e-3;
/** The first estimates are rough and are corrected faster, but still slower than time passes. */
const FIRST_SLEW_PER_MS = 0.5;
const FIRST_MS = 2000;
/** If the server's time is further off than this, its wall clock was set: jump to the new time. */
const STEP_MS = 50;

/** The longest gap that a message may report (message contract), ms. */
const MAX_GAP_MS = 24 * 3600 * 1000;
/** No gap goes beyond this position, so that positions stay safe integers for centuries of sound. */
const LAST_POSITION = Number.MAX_SAFE_INTEGER / 2;

/** Where a stretch's first sample stands. */
export interface PlaceWithGap extends Pick<Place, 'position' | 'time'> {
  /** Samples missing just before it. */
  readonly gap: number;
}

/**
 * One stream's clock. With the protocol's clock extension, positions and gaps are the server's own, and its times
 * are followed without wobble; without it all three are estimated from when the samples arrive.
 */
export class StreamClock {
  private readonly arrivals: SampleClock;
  private announced: ClockMessage | undefined;
  /** Whether the server sends its clock. */
  private isServerClock = false;
  /** Our positions minus the server's, which may not start at 0. */
  private shift = 0;
  /** The position that follows the last stretch. */
  private next = 0;
  /** `time` minus the position in ms, of the last stretch; without the epoch offset where estimated. */
  private offset: number | undefined;
  /** What {@link offset} moves to. */
  private target = 0;
  private lastSamples = 0;
  private late: { readonly since: number; leastMs: number } | undefined;

  constructor(
    private readonly sampleRate: number,
    private readonly clock: Clock,
  ) {
    this.arrivals = new SampleClock(sampleRate);
  }

  /** Whether position, time and gap are the server's. */
  get exact(): boolean {
    return this.isServerClock;
  }

  /** Remembers what the server says about the stretch that arrives next. */
  announce(message: ClockMessage): void {
    this.announced = message;
  }

  /** The place of `samples` samples that have just arrived. */
  place(samples: number): PlaceWithGap {
    const announced = this.announced;
    this.announced = undefined;
    const gap = announced ? this.follow(announced) : this.isServerClock ? 0 : this.estimate(samples);
    this.next += gap;
    const position = this.next;
    this.next += samples;
    this.lastSamples = samples;
    const time = (this.offset ?? 0) + this.ms(position);
    return { position, time: this.isServerClock ? time : time + this.clock.epochOffset(), gap };
  }

  /** Follows the server's clock; returns the gap. */
  private follow(message: ClockMessage): number {
    const theirs = message.position;
    const dropped = Math.min(message.dropped, this.mostMissing());
    if (!this.isServerClock) this.shift = this.next + dropped - theirs;
    const missing = theirs + this.shift - this.next;
    // A server that counts backwards, or skips more than can be missing, started over: continue from our count.
    if (missing < 0 || missing > this.mostMissing()) this.shift = this.next - theirs;
    const gap = theirs + this.shift - this.next;
    this.target = message.time - this.ms(this.next + gap);
    if (!this.isServerClock || this.offset === undefined) this.offset = this.target;
    else if (gap > 0) this.offset = Math.max(this.target, this.offset - this.ms(gap));
    else if (Math.abs(this.target - this.offset) > STEP_MS) this.offset = this.target;
    else this.slew(SLEW_PER_MS);
    this.isServerClock = true;
    return gap;
  }

  /** The most samples that may be missing at once: one day, or none where positions would get too large. */
  private mostMissing(): number {
    const day = samplesInMs(this.sampleRate, MAX_GAP_MS);
    return this.next + day < LAST_POSITION ? day : 0;
  }

  /** Without the server's clock: estimates it from the earliest arrivals; returns the gap. */
  private estimate(samples: number): number {
    const now = this.clock.now();
    const gap = this.lost(this.next + samples, now);
    this.arrivals.observe(this.next + gap + samples, now);
    this.target = this.arrivals.timeOf(0);
    if (this.offset === undefined) this.offset = this.target;
    else this.slew(this.ms(this.next) < FIRST_MS ? FIRST_SLEW_PER_MS : SLEW_PER_MS);
    return gap;
  }

  /**
   * Lost samples, counted once even the least lateness of two seconds proves a loss. Rounded to whole frames, since a
   * server loses whole frames: a few samples too many would shift the borders of all later frames.
   */
  private lost(end: number, now: number): number {
    const lateMs = this.arrivals.lateness(end, now);
    if (lateMs <= LOSS_MS) {
      this.late = undefined;
      return 0;
    }
    this.late ??= { since: now, leastMs: lateMs };
    this.late.leastMs = Math.min(this.late.leastMs, lateMs);
    if (now - this.late.since < LOSS_PROOF_MS) return 0;
    const frame = frameSamples(this.sampleRate);
    const frames = Math.round(samplesInMs(this.sampleRate, this.late.leastMs) / frame);
    this.late = undefined;
    return frames * frame;
  }

  /** Moves the line towards its target, by as much as the last stretch allows. */
  private slew(perMs: number): void {
    const most = this.ms(this.lastSamples) * perMs;
    const error = this.target - (this.offset ?? 0);
    this.offset = (this.offset ?? 0) + Math.min(most, Math.max(-most, error));
  }

  private ms(samples: number): number {
    return msOfSamples(this.sampleRate, samples);
  }
}
