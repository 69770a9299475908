/** The source that a flow feeds: frames pushed in go out on one clock, whichever streams they came from. */
import type { Clock } from '../audio/clock';
import { msOfSamples, samplesInMs } from '../audio/format';
import { sliceFrame, type PcmFrame } from '../audio/frame';
import { positionAtRate } from '../audio/place';
import type { Source, SourceSink } from './source';
import { sourceEntry } from './source-entry';

/** Of sound that is played in real time, this much may go out before its time. */
const AHEAD_MS = 100;
/** Sound with a capture time is live up to this length of a frame; a longer one is a recording. */
const DEFAULT_MAX_LIVE_MS = 1000;
const SLICE_MS = 20;
/** The most that may wait to be played: ten minutes. */
const MAX_WAITING_MS = 600_000;
/**
 * What is played goes out 200 ppm faster than real time, twice what crystal oscillators are apart: a live source
 * that sends no time, and whose clock is fast, would pile up for as long as it runs.
 */
const PACE = 1 - 200e-6;

/** Gaps stop counting here, where positions can still be converted exactly to every rate; sound alone never gets there. */
const MAX_POSITION = Number.MAX_SAFE_INTEGER / 16;

interface Waiting {
  readonly frame: PcmFrame;
  /** Whether the frame's time is that of its capture. */
  readonly timed: boolean;
}

/**
 * Live sound, which carries its capture time, goes out in the turn in which it came. A recording (a file, a
 * synthetic voice: without a time, or longer than a second) comes faster than it plays: what exceeds 100 ms
 * waits, and goes out in real time. While nobody listens, nothing waits.
 */
export class FlowSource implements Source {
  private sink: SourceSink | undefined;
  private position = 0;
  private rate = 0;
  private waiting: Waiting[] = [];
  private waitingMs = 0;
  /** When all that went out so far has been played, on the clock's monotonic time. */
  private playedUntil = 0;
  /** For a sample without a time: how long before it is played it is assumed to have been captured. */
  private capturedBefore = 0;
  private cancel: (() => void) | undefined;

  /** @param maxLiveMs a frame with a capture time is live up to this length */
  constructor(
    private readonly clock: Clock,
    private readonly maxLiveMs = DEFAULT_MAX_LIVE_MS,
  ) {}

  start(sink: SourceSink): void {
    this.stop();
    this.sink = sink;
    sink.onState({ kind: 'running', device: 'input', muted: false });
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.waiting = [];
    this.waitingMs = 0;
    this.position = 0;
    this.rate = 0;
    this.sink = undefined;
  }

  /**
   * Takes the flow's next frame.
   * @param timed whether the frame's `time` is its capture time
   * @returns whether it was taken; false when more than ten minutes wait already
   */
  push(frame: PcmFrame, timed: boolean): boolean {
    if (!this.sink) return true;
    const ms = msOfSamples(frame.format.sampleRate, frame.samples);
    if (timed && ms <= this.maxLiveMs && this.waiting.length === 0) {
      this.emit(frame);
      return true;
    }
    if (this.waitingMs + ms > MAX_WAITING_MS) return false;
    this.waiting.push({ frame, timed });
    this.waitingMs += ms;
    if (!this.cancel) this.play();
    return true;
  }

  private play(): void {
    this.cancel = undefined;
    const now = this.clock.now();
    if (this.playedUntil <= now) {
      this.playedUntil = now;
      this.capturedBefore = Math.min(AHEAD_MS, this.waitingMs);
    }
    while (this.playedUntil + SLICE_MS * PACE <= now + AHEAD_MS) {
      const next = this.waiting.shift();
      if (!next) return;
      this.playSlice(next, now);
    }
    this.cancel = this.clock.after(SLICE_MS, () => this.play());
  }

  private playSlice({ frame, timed }: Waiting, now: number): void {
    const { sampleRate } = frame.format;
    const samples = Math.min(frame.samples, samplesInMs(sampleRate, SLICE_MS));
    const slice = sliceFrame(frame, 0, samples);
    if (samples < frame.samples) {
      this.waiting.unshift({ frame: sliceFrame(frame, samples, frame.samples), timed });
    }
    const captured = Math.min(now, this.playedUntil - this.capturedBefore);
    const ms = msOfSamples(sampleRate, samples);
    this.waitingMs -= ms;
    this.playedUntil += ms * PACE;
    this.emit(timed ? slice : { ...slice, time: captured + this.clock.epochOffset() });
  }

  private emit(frame: PcmFrame): void {
    const { sampleRate } = frame.format;
    if (this.rate !== sampleRate) {
      this.position = this.rate === 0 ? 0 : positionAtRate(this.position, this.rate, sampleRate);
      this.rate = sampleRate;
    }
    const gap = countable(frame.gap, this.position);
    const position = this.position + gap;
    this.position = position + frame.samples;
    this.sink?.onFrame(gap === frame.gap ? { ...frame, position } : { ...frame, position, gap });
  }
}

/** A gap as it can be counted from `position` on: whole, not negative, and within {@link MAX_POSITION}. */
function countable(gap: number, position: number): number {
  return Number.isNaN(gap) ? 0 : Math.round(Math.min(Math.max(0, gap), Math.max(0, MAX_POSITION - position)));
}

export const FLOW_SOURCE = sourceEntry({
  type: 'input',
  title: 'What is wired into this node',
  settings: {},
  create: (_values, clock) => new FlowSource(clock),
});
