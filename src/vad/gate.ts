/** Lets speech through, and leaves out or zeroes the rest. */
import type { PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { silence } from '../audio/samples';
import type { History } from './history';
import type { GatedSound, Speech } from './speech';

/** A stretch that is let through. `to` is Infinity as long as its end is not known. */
interface Passage {
  readonly from: number;
  to: number;
  speech: Speech;
}

export interface GateOptions {
  readonly mode: 'drop' | 'silence';
  /** Position after what was sent before, or before the gap that the sound begins after. */
  readonly start: number;
  /** Samples by which the sound is sent later than it is scored. */
  readonly hold: number;
  /** What this adds to the delay of the sound, ms. */
  readonly latencyMs: number;
}

export class Gate {
  private readonly passages: Passage[] = [];
  private sent: number;
  /** Position up to which everything was sent, or left out for good. */
  private settledTo: number;

  constructor(
    private readonly format: PcmFormat,
    private readonly history: History,
    private readonly options: GateOptions,
  ) {
    this.sent = options.start;
    this.settledTo = history.start;
  }

  /** Position after the last sample sent. */
  get sentTo(): number {
    return this.sent;
  }

  /** Position of the first sample that is still to be sent; Infinity where none is. */
  get neededFrom(): number {
    return this.options.mode === 'silence' ? this.settledTo : Infinity;
  }

  /** Begins to let through what was not sent yet, from `position` on. */
  open(position: number, speech: Speech): void {
    this.passages.push({ from: position, to: Infinity, speech });
  }

  /** Takes what is known of the speech that is let through. */
  update(speech: Speech): void {
    const last = this.passages.at(-1);
    if (last) last.speech = speech;
  }

  /** Ends at `position` what {@link open} began. */
  close(position: number, speech: Speech): void {
    const last = this.passages.at(-1);
    if (!last) return;
    last.to = position;
    last.speech = speech;
  }

  /** Everything before `position` was scored: what that lets out. */
  scored(position: number): GatedSound[] {
    return this.release(position - this.options.hold);
  }

  /** Sends what was held back, up to `position`. */
  release(position: number): GatedSound[] {
    const out: GatedSound[] = [];
    while (this.settledTo < position) {
      const passage = this.passages[0];
      if (passage && passage.from <= this.settledTo) {
        const to = Math.min(position, passage.to);
        if (to > this.settledTo) out.push(this.send(this.history.read(this.settledTo, to), passage.speech));
        if (passage.to <= position) this.passages.shift();
      } else if (this.options.mode === 'silence') {
        out.push(this.send(this.zeros(Math.min(position, passage?.from ?? Infinity)), undefined));
      } else if (passage && passage.from < position) {
        this.settledTo = passage.from;
      } else {
        // Not settled: speech that is found later may take its pre-roll from here.
        break;
      }
    }
    return out;
  }

  private zeros(to: number): PcmFrame {
    const samples = to - this.settledTo;
    return { ...this.history.at(this.settledTo), data: silence(this.format, samples), samples };
  }

  private send(frame: PcmFrame, speech: Speech | undefined): GatedSound {
    const gap = frame.position - this.sent;
    this.sent = this.settledTo = frame.position + frame.samples;
    return {
      output: 'audio',
      frame: { ...frame, gap, latencyMs: frame.latencyMs + this.options.latencyMs },
      properties: speech && { speech },
    };
  }
}
