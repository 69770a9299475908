/** How loud a wire is now: peak and RMS of its last 300 ms, and the highest peak of the last 2 s. */
import type { Clock } from '../audio/clock';
import { msOfSamples, samplesInMs, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { S16_FULL_SCALE, toDb, viewOf } from '../audio/samples';

/** What is shown where there is no sound: the smallest step of 16 bits. dBFS */
export const FLOOR_DBFS = -96;
/** Sound that the peak and the RMS are of, ms. */
export const WINDOW_MS = 300;
/** For how long the highest peak is held, ms. */
export const HOLD_MS = 2000;
/** A window's edge is this exact. */
const BLOCK_MS = 20;

/** dBFS, from {@link FLOOR_DBFS} to 0 and, for float samples, above. */
export interface Levels {
  readonly peak: number;
  readonly rms: number;
  /** Highest peak of the last {@link HOLD_MS}. */
  readonly hold: number;
}

export const NO_LEVELS: Levels = { peak: FLOOR_DBFS, rms: FLOOR_DBFS, hold: FLOOR_DBFS };

interface Block {
  /** When it begins to count, on the clock's monotonic time. */
  readonly at: number;
  readonly ms: number;
  readonly peak: number;
  /** Sum of the squares of all samples. */
  readonly energy: number;
  readonly count: number;
}

export class LevelMeter {
  private blocks: Block[] = [];
  /** When what came last is over. */
  private until = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** Takes the next frame. A long one counts over the time that it lasts, not all at once. */
  push(frame: PcmFrame): void {
    const { sampleRate, channels } = frame.format;
    const now = this.clock.now();
    const wholeMs = msOfSamples(sampleRate, frame.samples);
    let at = Math.min(Math.max(now, this.until), now + wholeMs);
    const samples = viewOf(frame.data, frame.format.encoding);
    const step = Math.max(1, samplesInMs(sampleRate, BLOCK_MS));
    for (let from = 0; from < frame.samples; from += step) {
      const to = Math.min(from + step, frame.samples);
      const ms = msOfSamples(sampleRate, to - from);
      this.blocks.push({ at, ms, ...measure(samples, frame.format, from * channels, to * channels) });
      at += ms;
    }
    this.until = at;
    const [first] = this.blocks;
    if (first && first.at < now - 2 * HOLD_MS) this.forget(now);
  }

  read(): Levels {
    const now = this.clock.now();
    this.forget(now);
    let [peak, hold, energy, count] = [0, 0, 0, 0];
    for (const block of this.blocks) {
      if (block.at > now) break;
      hold = Math.max(hold, block.peak);
      if (block.at + block.ms <= now - WINDOW_MS) continue;
      peak = Math.max(peak, block.peak);
      energy += block.energy;
      count += block.count;
    }
    const rms = count === 0 ? 0 : Math.sqrt(energy / count);
    return { peak: dbfs(peak), rms: dbfs(rms), hold: dbfs(hold) };
  }

  private forget(now: number): void {
    const kept = this.blocks.findIndex(({ at }) => at > now - HOLD_MS);
    if (kept !== 0) this.blocks = kept < 0 ? [] : this.blocks.slice(kept);
  }
}

function dbfs(amplitude: number): number {
  return Math.max(FLOOR_DBFS, toDb(amplitude));
}

function measure(
  samples: Int16Array | Float32Array,
  { encoding }: PcmFormat,
  from: number,
  to: number,
): { peak: number; energy: number; count: number } {
  let [peak, energy] = [0, 0];
  for (let i = from; i < to; i++) {
    const sample = samples[i] ?? 0;
    const magnitude = sample < 0 ? -sample : sample;
    // What is no number is neither smaller nor larger, and must not stay in the sum.
    if (!(magnitude < Infinity)) continue;
    if (magnitude > peak) peak = magnitude;
    energy += sample * sample;
  }
  const scale = encoding === 's16le' ? S16_FULL_SCALE : 1;
  return { peak: peak / scale, energy: energy / (scale * scale), count: to - from };
}
