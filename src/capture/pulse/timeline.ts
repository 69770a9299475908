/** Gives captured sound its place in real time: what is stale is dropped, what is missing counted or filled. */
import type { Clock } from '../../audio/clock';
import { bytesPerSample, samplesInMs } from '../../audio/format';
import type { PcmFrame } from '../../audio/frame';
import { SampleClock } from '../../audio/sample-clock';
import { silence } from '../../audio/samples';
import type { CaptureFormat } from './record-stream';

/** Sound later than this is never played; the bursts of a null sink whose player has a long buffer stay below it. */
const MAX_LATE_MS = 100;
/** After a stall, the first sound that is kept is at most this late. */
const FRESH_MS = 15;
/** What is kept of a burst. */
const KEPT_MS = 20;
/** A backlog shrinks by more than this in the time of {@link HOLE_AFTER_MS}; a hole in the stream does not. */
const HOLE_PROGRESS_MS = 50;
const HOLE_AFTER_MS = 100;
/** If every arrival in a window this long is later than {@link FRESH_MS}, that lateness counts as lost samples. */
const LATENESS_WINDOW_MS = 2000;
/** Silence is written this much later than real time, so that there is room for the sound that ends it. */
const FILL_LAG_MS = 10;

/** Late sound is being dropped, until it is fresh again or shows itself to come after a hole. */
interface CatchUp {
  since: number;
  lateness: number;
}

/**
 * Two counters on one axis of samples: `next` is where the emitted frames end, `received` where the stream's own
 * count ends. They differ while silence stands in, and while a backlog is thrown away: each missing sample is
 * counted once, in the `gap` of a frame or as silence.
 */
export class CaptureTimeline {
  private current: { readonly format: CaptureFormat; readonly line: SampleClock } | undefined;
  private next = 0;
  /** undefined: the stream's place is taken from real time when its next sound arrives. */
  private received: number | undefined;
  private catchUp: CatchUp | undefined;
  private windowStart = 0;
  private windowLateness = Infinity;

  constructor(private readonly clock: Clock) {}

  /** Whether any sound was placed: only then can silence stand in for more. */
  get running(): boolean {
    return this.current?.line.running ?? false;
  }

  /** A new stream of samples begins, perhaps in another format: positions go on, counted at its rate. */
  begin(format: CaptureFormat): void {
    const previous = this.current;
    const line = new SampleClock(format.sampleRate);
    if (previous?.line.running) {
      const at = previous.line.timeOf(this.next);
      this.next = Math.round((this.next * format.sampleRate) / previous.format.sampleRate);
      line.observe(this.next, at);
    }
    this.current = { format, line };
    this.jump();
  }

  /** The stream has stopped for a time without counting it: its next sound is placed by real time. */
  jump(): void {
    this.received = undefined;
    this.catchUp = undefined;
    this.windowLateness = Infinity;
  }

  /**
   * The next samples of the stream as a frame, or undefined when all of it is stale or covered by silence.
   * @param data whole samples, just arrived
   */
  place(data: Buffer): PcmFrame | undefined {
    if (!this.current) throw new RangeError('CaptureTimeline.place: no stream has begun');
    const { format, line } = this.current;
    const now = this.clock.now();
    const samples = data.length / bytesPerSample(format);
    const isLong = samples > samplesInMs(format.sampleRate, MAX_LATE_MS);
    const newest = Math.min(samples, samplesInMs(format.sampleRate, KEPT_MS));
    if (this.received === undefined) {
      // The very first sound stands at 0, and what piled up before it is no part of the stream.
      this.received = line.running ? this.positionAt(now) - samples : (isLong ? newest : samples) - samples;
      this.windowStart = now;
    }
    this.received += samples;
    if (!line.running) line.observe(this.received, now);
    const lateness = line.lateness(this.received, now);
    const isEarly = lateness < -MAX_LATE_MS;
    // The line was too late all along, such as when a burst was what the stream began with.
    if (isEarly) line.reset();
    if (lateness <= MAX_LATE_MS) line.observe(this.received, now);
    if (this.isStale(lateness, now)) return undefined;

    const start = Math.max(this.received - (isEarly || isLong ? newest : samples), this.next);
    const fresh = this.received - start;
    return fresh > 0
      ? this.emit(start, data.subarray(data.length - fresh * bytesPerSample(format)))
      : undefined;
  }

  /** Silence up to the present, or undefined when none is due. At most 100 ms of it; more becomes a gap. */
  fill(): PcmFrame | undefined {
    if (!this.current?.line.running) return undefined;
    const { format } = this.current;
    const end = this.positionAt(this.clock.now() - FILL_LAG_MS);
    const due = end - this.next;
    if (due <= 0) return undefined;
    const samples =
      due > samplesInMs(format.sampleRate, MAX_LATE_MS) ? samplesInMs(format.sampleRate, KEPT_MS) : due;
    return this.emit(end - samples, silence(format, samples));
  }

  /** Whether sound of this lateness is to be dropped; finds holes. */
  private isStale(lateness: number, now: number): boolean {
    if (this.catchUp === undefined) {
      if (lateness <= MAX_LATE_MS) {
        this.watchLateness(lateness, now);
        return false;
      }
      this.catchUp = { since: now, lateness };
      return true;
    }
    if (lateness > FRESH_MS) {
      if (now - this.catchUp.since < HOLE_AFTER_MS) return true;
      if (lateness < this.catchUp.lateness - HOLE_PROGRESS_MS) {
        this.catchUp = { since: now, lateness };
        return true;
      }
      this.received = this.positionAt(now);
    }
    this.catchUp = undefined;
    this.windowLateness = Infinity;
    this.windowStart = now;
    return false;
  }

  /** A small hole never makes sound stale, but all of it later from then on. */
  private watchLateness(lateness: number, now: number): void {
    this.windowLateness = Math.min(this.windowLateness, lateness);
    if (now - this.windowStart < LATENESS_WINDOW_MS) return;
    if (this.windowLateness > FRESH_MS) this.received = this.positionAt(now);
    this.windowLateness = Infinity;
    this.windowStart = now;
  }

  private emit(start: number, data: Buffer): PcmFrame {
    if (!this.current) throw new RangeError('CaptureTimeline.emit: no stream has begun');
    const { format, line } = this.current;
    const samples = data.length / bytesPerSample(format);
    const gap = start - this.next;
    this.next = start + samples;
    return {
      format,
      data,
      samples,
      position: start,
      time: line.timeOf(start) + this.clock.epochOffset(),
      gap,
      latencyMs: 0,
    };
  }

  /** The position up to which samples should have arrived by `time`. */
  private positionAt(time: number): number {
    if (!this.current) return 0;
    const { format, line } = this.current;
    return samplesInMs(format.sampleRate, time - line.timeOf(0));
  }
}
