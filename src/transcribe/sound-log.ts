/** The sound that has no final words yet, kept so that it can be sent, and sent again. */
import { bytesPerSample, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';

interface Piece {
  /** Of its first sample: samples that came since the log began. */
  readonly index: number;
  readonly samples: number;
  readonly data: Buffer;
}

/** A stretch that is to be sent. */
export interface Stretch {
  readonly index: number;
  readonly samples: number;
  readonly data: Buffer;
}

export class SoundLog {
  /** Index after the last sample that came. */
  end = 0;
  private pieces: Piece[] = [];
  private from = 0;
  private readonly sampleBytes: number;

  constructor(readonly format: PcmFormat) {
    this.sampleBytes = bytesPerSample(format);
  }

  /** Index of the first sample that is kept; {@link end} where there is none. */
  get start(): number {
    return this.from;
  }

  /** Adds the next piece. */
  append({ samples, data }: PcmFrame): void {
    if (samples === 0) return;
    this.pieces.push({ index: this.end, samples, data });
    this.end += samples;
  }

  /** What is kept from `index` on, at most to the end of its piece or to `limit`; undefined where there is nothing. */
  read(index: number, limit: number): Stretch | undefined {
    const from = Math.max(index, this.from);
    const piece = this.pieceAt(from);
    if (!piece || from >= limit) return undefined;
    const end = Math.min(limit, piece.index + piece.samples);
    const [first, last] = [(from - piece.index) * this.sampleBytes, (end - piece.index) * this.sampleBytes];
    return { index: from, samples: end - from, data: piece.data.subarray(first, last) };
  }

  /** Lets go of all sound before `index`. */
  release(index: number): void {
    this.from = Math.max(this.from, Math.min(index, this.end));
    let gone = 0;
    for (const { index: at, samples } of this.pieces) {
      if (at + samples > this.from) break;
      gone++;
    }
    if (gone > 0) this.pieces.splice(0, gone);
  }

  /** Pieces follow each other without a hole. */
  private pieceAt(index: number): Piece | undefined {
    let [low, high] = [0, this.pieces.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const piece = this.pieces[middle];
      if (!piece) return undefined;
      if (index < piece.index) high = middle - 1;
      else if (index >= piece.index + piece.samples) low = middle + 1;
      else return piece;
    }
    return undefined;
  }
}
