/** The sound of one stream that has no final words yet: within its limit, at its place, and counted where it is lost. */
import { msOfSamples, samplesInMs, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { Places } from './places';
import { SoundLog } from './sound-log';

/** Answers may be about sound that had its words before: its places are kept so long. */
const PLACES_MS = 60_000;

export class KeptSound {
  readonly log: SoundLog;
  readonly places: Places;
  /** All sound before this index has its words, or is given up. */
  settled = 0;
  private sentTo = 0;
  /** Sound before this index was counted as lost, where it was. */
  private countedTo = 0;
  private readonly most: number;

  /**
   * @param format of the service
   * @param onLost is given the samples that were lost
   */
  constructor(
    format: PcmFormat,
    maxMs: number,
    private readonly onLost: (samples: number) => void,
  ) {
    this.log = new SoundLog(format);
    this.places = new Places(format.sampleRate);
    this.most = samplesInMs(format.sampleRate, maxMs);
  }

  /** Sound that was sent; what was sent again counts once. */
  get sentMs(): number {
    return msOfSamples(this.log.format.sampleRate, this.sentTo);
  }

  /** Sound that is kept. */
  get keptMs(): number {
    return msOfSamples(this.log.format.sampleRate, this.log.end - this.log.start);
  }

  /** Index from which a new connection is sent sound. */
  get from(): number {
    return Math.max(this.settled, this.log.start);
  }

  /** Whether sound has no words yet. */
  get isOpen(): boolean {
    return this.settled < this.log.end;
  }

  /** Whether a recording may go on: half of the room is left for what is to be sent. */
  hasRoom(next: number): boolean {
    return this.log.end - Math.max(next, this.settled) < this.most / 2;
  }

  add(piece: PcmFrame, format: PcmFormat): void {
    this.places.add(this.log.end, piece, format);
    this.log.append(piece);
  }

  /** Lets go of the oldest sound beyond the limit. @param next index of what is to be sent next; all before is under way */
  limit(next: number): void {
    const start = this.log.end - this.most;
    if (start <= this.log.start) return;
    if (start > next) this.lose(Math.max(next, this.log.start), start);
    this.log.release(start);
  }

  /** All before `index` was sent. */
  sent(index: number): void {
    this.sentTo = Math.max(this.sentTo, index);
  }

  /** All sound before `index` has its words. */
  settle(index: number): void {
    if (index <= this.settled) return;
    this.settled = Math.min(index, this.log.end);
    this.log.release(this.settled);
    this.places.forgetBefore(this.settled - samplesInMs(this.log.format.sampleRate, PLACES_MS));
  }

  /** The connection is gone: sound that it was sent, without an answer, and that is not kept any more, is lost. */
  interrupted(): void {
    this.lose(this.settled, this.log.start);
    this.settled = this.from;
  }

  /** Nothing of it will have words any more. */
  giveUp(): void {
    this.lose(this.settled, this.log.end);
    this.settle(this.log.end);
  }

  private lose(from: number, to: number): void {
    const samples = to - Math.max(from, this.countedTo);
    if (samples <= 0) return;
    this.countedTo = to;
    this.onLost(samples);
  }
}
