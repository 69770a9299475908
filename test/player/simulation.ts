/** A source, a network and a sound card with clocks of their own, around a jitter buffer: hours in seconds. */
import { Playout } from '../../player/playout';

/** What Web Audio makes at once. */
const QUANTUM = 128;
/** For hours: low rates, and a card that asks every 8 ms. */
export const LEAN = { sampleRate: 4000, outputRate: 4000, quantum: 32, burst: 1 };

export interface Simulated {
  readonly seconds: number;
  /** Hz; 24000 */
  readonly sampleRate?: number;
  /** Hz; 48000 */
  readonly outputRate?: number;
  readonly channels?: number;
  /** How much faster than the sound card the source is; 0 */
  readonly ppm?: number;
  /** Of each chunk; 20 */
  readonly chunkMs?: number;
  /** Samples made in one call; 128 */
  readonly quantum?: number;
  /** Calls in a row, each time that the card asks; 4, as Chromium on Linux: every 10.7 ms. */
  readonly burst?: number;
  /** How late chunk `index`, sent at `at` ms, arrives; in order all the same. */
  readonly delayMs?: (index: number, at: number) => number;
  /** The sample at `time` seconds of the source's clock; a tone of 440 Hz. */
  readonly signal?: (time: number) => number;
  /** Called for each burst, with the time in ms. */
  readonly watch?: (playout: Playout, at: number) => void;
}

export const TONE = (time: number): number => 0.5 * Math.sin(2 * Math.PI * 440 * time);

/** Runs it. @returns all that was played, left */
export function simulate(options: Simulated): { readonly playout: Playout; readonly played: Float32Array } {
  const { seconds, sampleRate = 24_000, outputRate = 48_000, channels = 1, ppm = 0, chunkMs = 20 } = options;
  const { quantum = QUANTUM, burst = 4, delayMs = () => 0, signal = TONE, watch } = options;
  const playout = new Playout(outputRate, quantum);
  const played = new Float32Array(Math.ceil((seconds * outputRate) / quantum) * quantum);
  const right = new Float32Array(quantum);
  const chunkSamples = Math.round((chunkMs * sampleRate) / 1000);
  const chunkTime = chunkMs / (1 + ppm * 1e-6);
  let [index, arrival] = [0, delayMs(0, 0)];
  for (let block = 0; block * quantum < played.length; block++) {
    const at = (block * quantum * 1000) / outputRate;
    if (block % burst === 0) {
      // A sound card asks late and for much at once: what came until then is there.
      const until = at + ((burst - 1) * quantum * 1000) / outputRate;
      while (arrival <= until) {
        const samples = new Float32Array(chunkSamples * channels);
        for (let i = 0; i < samples.length; i++) {
          samples[i] = signal((index * chunkSamples + Math.floor(i / channels)) / sampleRate);
        }
        playout.push({ samples, sampleRate, channels });
        index++;
        arrival = Math.max(arrival, index * chunkTime + delayMs(index, index * chunkTime));
      }
      watch?.(playout, at);
    }
    playout.render(played.subarray(block * quantum, (block + 1) * quantum), right);
  }
  return { playout, played };
}
