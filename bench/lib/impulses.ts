/** A train of impulses, and where they are found again in a stream of samples. */

const PULSE_MS = 2;
const AMPLITUDE = 0.8;
const THRESHOLD = 0.4;
/** An impulse is over when this much has stayed below the threshold. */
const QUIET_MS = 50;
const PERIOD_MS = 230;
/** Spread over a frame, so that each place in it is met. */
const SPREAD_MS = 20;
const S16_MAX = 32767;

/** `seconds` of s16le stereo at 48 kHz with an impulse about four times a second. */
export function impulseTrain(seconds: number, random: () => number): Buffer {
  const rate = 48_000;
  const data = Buffer.alloc(seconds * rate * 4);
  const value = Math.round(AMPLITUDE * S16_MAX);
  const at = (ms: number): number => Math.round((ms * rate) / 1000);
  for (let ms = PERIOD_MS; ms < seconds * 1000 - PERIOD_MS; ms += PERIOD_MS + SPREAD_MS * random()) {
    for (let sample = at(ms); sample < at(ms + PULSE_MS); sample++) {
      data.writeInt16LE(value, sample * 4);
      data.writeInt16LE(value, sample * 4 + 2);
    }
  }
  return data;
}

/** Finds the first sample of each impulse in s16le mono that comes in pieces. */
export class ImpulseFinder {
  private quietSamples = Infinity;

  constructor(private readonly sampleRate: number) {}

  /** Indices in `data`, in samples, at which impulses begin. */
  push(data: Buffer): number[] {
    const found: number[] = [];
    for (let i = 0; i < data.length >> 1; i++) {
      if (Math.abs(data.readInt16LE(i * 2)) < THRESHOLD * S16_MAX) {
        this.quietSamples++;
        continue;
      }
      if (this.quietSamples > (QUIET_MS * this.sampleRate) / 1000) found.push(i);
      this.quietSamples = 0;
    }
    return found;
  }
}
