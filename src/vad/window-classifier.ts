/** Scores a stream window by window: what the network hears is mono, at its own rate. */
import type { PcmFrame } from '../audio/frame';
import { toFloat } from '../audio/samples';
import { Resampler, type Quality } from '../resample/resampler';
import { Silero, SILERO_SAMPLE_RATE, SILERO_WINDOW } from './silero';

/** `fast` would cost 3 % less CPU, and .0005 of AUC under noise as loud as the speech (bench/vad-quality.ts). */
const QUALITY: Quality = 'high';

export interface WindowScore {
  /** Place of the window's first sample on the stream's clock, at {@link SILERO_SAMPLE_RATE}. */
  readonly position: number;
  /** That the window holds speech, 0 to 1. */
  readonly probability: number;
  /** Sum of its squared samples. */
  readonly energy: number;
}

/** Takes any format; the first frame of a run says which. */
export class WindowClassifier {
  private readonly silero = new Silero();
  private readonly resampler = new Resampler({
    sampleRate: SILERO_SAMPLE_RATE,
    channels: 1,
    encoding: 'f32le',
    quality: QUALITY,
  });
  private readonly window = new Float32Array(SILERO_WINDOW);
  private filled = 0;
  /** Position after the last sample taken, as {@link WindowScore.position}. */
  private scoredTo = 0;

  /** Delay of what is scored, for the format that comes now, ms. */
  get delayMs(): number {
    return this.resampler.delayMs;
  }

  /**
   * The scores of the windows that `frame` completes. A gap before the run's first frame is no concern here.
   * @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken
   */
  push(frame: PcmFrame): WindowScore[] {
    return this.take(this.resampler.push(frame));
  }

  /** Ends the run: scores the last window, filled up with silence, and forgets the stream. */
  flush(): WindowScore[] {
    const out = this.take(this.resampler.flush());
    if (this.filled > 0) {
      this.window.fill(0, this.filled);
      out.push(this.score(this.scoredTo - this.filled));
    }
    this.close();
    return out;
  }

  /** Forgets the stream. */
  close(): void {
    this.resampler.close();
    this.silero.reset();
    this.filled = 0;
  }

  private take(frames: readonly PcmFrame[]): WindowScore[] {
    const out: WindowScore[] = [];
    for (const { data, format, position, samples } of frames) {
      this.scoredTo = position + samples;
      const heard = toFloat(data, format.encoding);
      for (let at = 0; at < heard.length; at++) {
        this.window[this.filled++] = audible(heard[at] ?? 0);
        if (this.filled < SILERO_WINDOW) continue;
        this.filled = 0;
        out.push(this.score(position + at + 1 - SILERO_WINDOW));
      }
    }
    return out;
  }

  private score(position: number): WindowScore {
    let energy = 0;
    for (const sample of this.window) energy += sample * sample;
    return { position, probability: this.silero.process(this.window), energy };
  }
}

/** What is no number, or beyond full scale, would stay in the network's memory for ever. */
function audible(sample: number): number {
  if (sample > 1) return 1;
  if (sample < -1) return -1;
  return Number.isNaN(sample) ? 0 : sample;
}
