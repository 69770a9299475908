/** What the network hears of a stream: windows at its own rate, mono, and its opinion of each. */
import type { PcmEncoding, PcmFormat } from '../audio/format';
import type { PcmFrame, Transform } from '../audio/frame';
import { toFloat } from '../audio/samples';
import { Silero, SILERO_SAMPLE_RATE, SILERO_WINDOW } from './silero';

export const LISTENER_FORMAT: PcmFormat = { encoding: 'f32le', sampleRate: SILERO_SAMPLE_RATE, channels: 1 };

export interface Judgement {
  /** That the window holds speech, 0 to 1. */
  readonly probability: number;
  /** Sum of its squared samples. */
  readonly energy: number;
}

export class Listener {
  private readonly silero = new Silero();
  private readonly window = new Float32Array(SILERO_WINDOW);
  private filled = 0;

  /** @param resampler into {@link LISTENER_FORMAT}; belongs to this from now on */
  constructor(private readonly resampler: Transform<PcmEncoding, PcmEncoding>) {}

  /** Tells `judge` of every window that `frame`, which has no gap, completes. */
  push(frame: PcmFrame, judge: (judgement: Judgement) => void): void {
    for (const resampled of this.resampler.push(frame)) this.hear(resampled, judge);
  }

  /** Judges the last window, filled up with silence, and forgets the stream. */
  flush(judge: (judgement: Judgement) => void): void {
    for (const resampled of this.resampler.flush()) this.hear(resampled, judge);
    if (this.filled > 0) {
      this.window.fill(0, this.filled);
      judge(this.judgement());
    }
    this.filled = 0;
    this.silero.reset();
  }

  close(): void {
    this.resampler.close();
  }

  private hear(frame: PcmFrame, judge: (judgement: Judgement) => void): void {
    for (const sample of toFloat(frame.data, frame.format.encoding)) {
      this.window[this.filled++] = audible(sample);
      if (this.filled < SILERO_WINDOW) continue;
      this.filled = 0;
      judge(this.judgement());
    }
  }

  private judgement(): Judgement {
    let energy = 0;
    for (const sample of this.window) energy += sample * sample;
    return { probability: this.silero.process(this.window), energy };
  }
}

/** What is no number, or beyond full scale, would stay in the network's memory for ever. */
function audible(sample: number): number {
  if (sample > 1) return 1;
  if (sample < -1) return -1;
  return Number.isNaN(sample) ? 0 : sample;
}
