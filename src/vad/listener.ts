/** What the network hears of a stream: windows at its own rate, mono, and its opinion of each. */
import type { PcmFrame } from '../audio/frame';
import { toFloat } from '../audio/samples';
import { Resampler, type Quality } from '../resample/resampler';
import { Silero, SILERO_SAMPLE_RATE, SILERO_WINDOW } from './silero';

/** `fast` would cost 3 % less CPU, and .0005 of AUC under noise as loud as the speech (bench/vad-quality.ts). */
const QUALITY: Quality = 'high';

export interface Judgement {
  /** Place of the window's first sample on the stream's clock, at {@link SILERO_SAMPLE_RATE}. */
  readonly position: number;
  /** That the window holds speech, 0 to 1. */
  readonly probability: number;
  /** Sum of its squared samples. */
  readonly energy: number;
}

/** Takes any format; the first frame of a run says which. */
export class Listener {
  private readonly silero = new Silero();
  private readonly resampler = new Resampler({
    sampleRate: SILERO_SAMPLE_RATE,
    channels: 1,
    encoding: 'f32le',
    quality: QUALITY,
  });
  private readonly window = new Float32Array(SILERO_WINDOW);
  private filled = 0;
  /** Place behind the last sample heard, as {@link Judgement.position}. */
  private heardTo = 0;

  /** Delay of what is heard, for the format that comes now, ms. */
  get delayMs(): number {
    return this.resampler.delayMs;
  }

  /**
   * What is thought of the windows that `frame` completes. A gap before the run's first frame is no concern here.
   * @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken
   */
  push(frame: PcmFrame): Judgement[] {
    return this.hear(this.resampler.push(frame));
  }

  /** Ends the run: judges the last window, filled up with silence, and forgets the stream. */
  flush(): Judgement[] {
    const out = this.hear(this.resampler.flush());
    if (this.filled > 0) {
      this.window.fill(0, this.filled);
      out.push(this.judge(this.heardTo - this.filled));
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

  private hear(frames: readonly PcmFrame[]): Judgement[] {
    const out: Judgement[] = [];
    for (const { data, format, position, samples } of frames) {
      this.heardTo = position + samples;
      const heard = toFloat(data, format.encoding);
      for (let at = 0; at < heard.length; at++) {
        this.window[this.filled++] = audible(heard[at] ?? 0);
        if (this.filled < SILERO_WINDOW) continue;
        this.filled = 0;
        out.push(this.judge(position + at + 1 - SILERO_WINDOW));
      }
    }
    return out;
  }

  private judge(position: number): Judgement {
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
