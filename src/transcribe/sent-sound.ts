/** Which sound was sent on one connection, and when in its own time: what a service counts in leads back to the log. */
import { msOfSamples } from '../audio/format';

/** Sound that was sent in one go, or silence that stands for none. */
interface Span {
  /** Samples that were sent before it. */
  readonly sentAt: number;
  /** Index in the log; of silence, that of the sound after it. */
  readonly index: number;
  samples: number;
  readonly isSilence: boolean;
}

export class SentSound {
  private spans: Span[] = [];
  private sent = 0;

  constructor(private readonly sampleRate: number) {}

  /** Sound and silence, ms. */
  get sentMs(): number {
    return msOfSamples(this.sampleRate, this.sent);
  }

  /** Takes note of `samples` from `index` on in the log. */
  addSound(index: number, samples: number): void {
    this.add(index, samples, false);
  }

  /** Takes note of silence of our own. @param index of the sound that will be sent next */
  addSilence(index: number, samples: number): void {
    this.add(index, samples, true);
  }

  /** The index in the log of what was sent at `ms`; of silence, and of what was never sent, the nearest. */
  indexAt(ms: number): number {
    const at = Math.round((ms * this.sampleRate) / 1000);
    const span = this.spanAt(at);
    if (!span) return 0;
    return span.isSilence ? span.index : span.index + Math.max(0, Math.min(span.samples, at - span.sentAt));
  }

  /** Forgets what lies before `index`, but for the minute in front of it: answers come late. */
  forgetBefore(index: number): void {
    const limit = index - 60 * this.sampleRate;
    let gone = 0;
    while ((this.spans[gone + 1]?.index ?? Infinity) <= limit) gone++;
    if (gone > 0) this.spans.splice(0, gone);
  }

  private add(index: number, samples: number, isSilence: boolean): void {
    const last = this.spans.at(-1);
    const goesOn = isSilence || (last && last.index + last.samples === index);
    if (last?.isSilence === isSilence && goesOn === true) last.samples += samples;
    else this.spans.push({ sentAt: this.sent, index, samples, isSilence });
    this.sent += samples;
  }

  private spanAt(at: number): Span | undefined {
    let [low, high] = [0, this.spans.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.spans[middle]?.sentAt ?? Infinity) <= at) low = middle;
      else high = middle - 1;
    }
    return this.spans[low];
  }
}
