/** Where turns are to end in one stream's sound, and what a detector said of it. */
import type { Places } from './places';

/** A detector that is not wired with its sound may send ends for ever: no more wait. */
const MAX_PENDING = 100;
const MAX_SPEECHES = 100;

export class SpeechMarks {
  /** Positions of the input at which speech ends, whose sound has not come yet. */
  private pending: number[] = [];
  /** Indices at which turns end, the earliest first. */
  private ends: number[] = [];
  /** Of these, so many were not given out yet. */
  private fresh: number[] = [];
  /** What came along with the sound from an index on. */
  private speeches: { readonly index: number; speech: object; readonly id: unknown }[] = [];

  /** Speech ends at this position of the input. */
  addEnd(position: number): void {
    this.pending.push(position);
    if (this.pending.length > MAX_PENDING) this.pending.shift();
  }

  /** A turn ends at `index`, where sound has come that no turn has ended yet. */
  endTurn(index: number): void {
    if (index > (this.ends.at(-1) ?? 0)) this.add(index);
  }

  /** Indices that became known since this was asked last. @param end of the sound that came */
  due(places: Places, end: number): number[] {
    this.pending = this.pending.filter((position) => {
      const index = places.indexOf(position, end);
      if (index === undefined) return true;
      this.add(index);
      return false;
    });
    return this.fresh.splice(0);
  }

  /** Ends after `index`. */
  after(index: number): number[] {
    return this.ends.filter((end) => end > index);
  }

  /** Takes note of `msg.speech`, which came with the sound from `index` on. */
  addSpeech(index: number, speech: object): void {
    const id = 'id' in speech ? speech.id : undefined;
    const last = this.speeches.at(-1);
    if (last && id !== undefined && last.id === id) last.speech = speech;
    else this.speeches.push({ index, speech, id });
    if (this.speeches.length > MAX_SPEECHES) this.speeches.shift();
  }

  /** What came with the sound before `index`. */
  speechAt(index: number): object | undefined {
    return this.speeches.findLast((entry) => entry.index < index)?.speech;
  }

  /** Words of all sound before `index` have come. */
  forgetBefore(index: number): void {
    this.ends = this.ends.filter((end) => end > index);
  }

  private add(index: number): void {
    this.ends.push(index);
    this.ends.sort((a, b) => a - b);
    this.fresh.push(index);
  }
}
