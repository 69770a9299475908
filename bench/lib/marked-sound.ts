/** Sound that can be judged after any way: a tone on the left, and on the right an impulse now and then. */
import { channelOf, measureTone } from '../../test/support/tone';
import { ImpulseFinder } from './impulses';

export const RATE = 48_000;
const HZ = 440;
const AMPLITUDE = 0.5;
const S16_MAX = 32_767;
/** Between two impulses: no latency that is to be measured is longer. ms */
export const MARK_MS = 600;
const PULSE_MS = 2;
/** The stretch that is played again and again: whole cycles of the tone. */
export const LOOP_MS = 6000;
/** So short that a change of speed by 0.1 % leaves the tone one; 11 whole cycles. */
const WINDOW = RATE / 40;

/** Offsets of the impulses in the loop, samples: in their places within a frame no two are alike. */
const MARKS = Array.from({ length: LOOP_MS / MARK_MS }, (_, i) =>
  Math.round(((100 + i * MARK_MS + i * 2) * RATE) / 1000),
);

/** One loop, s16le stereo. */
export const LOOP = ((): Buffer => {
  const samples = (LOOP_MS * RATE) / 1000;
  const data = Buffer.alloc(samples * 4);
  for (let i = 0; i < samples; i++) {
    data.writeInt16LE(Math.round(AMPLITUDE * S16_MAX * Math.sin((2 * Math.PI * HZ * i) / RATE)), i * 4);
  }
  for (const mark of MARKS) {
    for (let i = mark; i < mark + (PULSE_MS * RATE) / 1000; i++) data.writeInt16LE(26_000, i * 4 + 2);
  }
  return data;
})();

/** The sound of `samples` samples from `position` on, and the impulses that begin in it, as offsets. */
export function marked(position: number, samples: number): { data: Buffer; marks: number[] } {
  const from = position % (LOOP.length / 4);
  const data = LOOP.subarray(from * 4, (from + samples) * 4);
  return {
    data,
    marks: MARKS.filter((mark) => mark >= from && mark < from + samples).map((mark) => mark - from),
  };
}

/** Times of the impulses in a recording, epoch ms. */
export function marksIn({ data, startTime }: { data: Buffer; startTime: number }): number[] {
  const right = Buffer.alloc(data.length >> 1);
  for (let i = 0; i < data.length >> 2; i++) right.writeInt16LE(data.readInt16LE(i * 4 + 2), i * 2);
  return new ImpulseFinder(RATE).push(right).map((sample) => startTime + (sample * 1000) / RATE);
}

export interface ToneReport {
  /** Windows of 25 ms that were looked at. */
  readonly windows: number;
  /** Median share of a window's energy that is the tone. */
  readonly purity: number;
  /** Stretches of 10 ms and more without the tone. */
  readonly holes: number;
}

/** @param skipMs left out at the beginning: the jitter buffer's, to settle in */
export function toneReport({ data }: { data: Buffer }, skipMs: number): ToneReport {
  const samples = channelOf(data, 2).subarray((skipMs * RATE) / 1000);
  const shares: number[] = [];
  for (let from = 0; from + WINDOW <= samples.length; from += WINDOW) {
    const part = samples.subarray(from, from + WINDOW);
    const { amplitude } = measureTone(part, { hz: HZ, sampleRate: RATE });
    const energy = part.reduce((sum, value) => sum + value * value, 0) / WINDOW;
    shares.push(energy === 0 ? 0 : amplitude ** 2 / 2 / energy);
  }
  let [holes, silent] = [0, 0];
  for (const sample of samples) {
    silent = Math.abs(sample) < 0.03 ? silent + 1 : 0;
    if (silent === RATE / 100) holes++;
  }
  const sorted = shares.toSorted((a, b) => a - b);
  return { windows: shares.length, purity: sorted[sorted.length >> 1] ?? 0, holes };
}
