/** The source that a flow feeds: frames pushed in go out on one clock, whichever streams they came from. */
import type { Clock } from '../audio/clock';
import { msOfSamples, samplesInMs } from '../audio/format';
import { sliceFrame, type PcmFrame } from '../audio/frame';
import type { Source, SourceSink } from './source';

/** What came without a capture time and is longer than this is a recording: it is played, not sent in one go. */
const BURST_MS = 100;
const SLICE_MS = 20;
/** The most that may wait to be played: ten minutes. */
const MAX_WAITING_MS = 600_000;

/**
 * Live sound, which carries its capture time, goes out in the turn in which it came. Sound without a time (a
 * file, a synthetic voice) may come faster than it plays: what exceeds 100 ms then waits and goes out in real
 * time. While nobody listens, nothing waits.
 */
export class Feed implements Source {
  private sink: SourceSink | undefined;
  private position = 0;
  private rate = 0;
  private waiting: PcmFrame[] = [];
  private waitingMs = 0;
  /** When all that went out so far has been played, on the clock's monotonic time. */
  private playedUntil = 0;
  private cancel: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

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
   * @param live whether the frame's `time` is its capture time, so that it must not wait
   * @returns whether it was taken; false when more than ten minutes wait already
   */
  push(frame: PcmFrame, live: boolean): boolean {
    if (!this.sink) return true;
    const ms = msOfSamples(frame.format.sampleRate, frame.samples);
    if (live && this.waiting.length === 0) {
      this.emit(frame);
      return true;
    }
    if (this.waitingMs + ms > MAX_WAITING_MS) return false;
    this.waiting.push(frame);
    this.waitingMs += ms;
    if (!this.cancel) this.play();
    return true;
  }

  private play(): void {
    this.cancel = undefined;
    const now = this.clock.now();
    this.playedUntil = Math.max(this.playedUntil, now);
    while (this.playedUntil - now < BURST_MS) {
      const frame = this.waiting.shift();
      if (!frame) return;
      const slice = Math.min(frame.samples, samplesInMs(frame.format.sampleRate, SLICE_MS));
      if (slice < frame.samples) this.waiting.unshift(sliceFrame(frame, slice, frame.samples));
      const ms = msOfSamples(frame.format.sampleRate, slice);
      this.waitingMs -= ms;
      this.playedUntil += ms;
      this.emit({ ...sliceFrame(frame, 0, slice), time: now + this.clock.epochOffset() });
    }
    this.cancel = this.clock.after(SLICE_MS, () => this.play());
  }

  private emit(frame: PcmFrame): void {
    const { sampleRate } = frame.format;
    if (this.rate !== sampleRate) {
      this.position = this.rate === 0 ? 0 : Math.round((this.position * sampleRate) / this.rate);
      this.rate = sampleRate;
    }
    const position = this.position + frame.gap;
    this.position = position + frame.samples;
    this.sink?.onFrame({ ...frame, position });
  }
}
