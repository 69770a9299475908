/** Takes the sound out of WAV files that come in pieces. */
import type { PcmFormat } from '../audio/format';
import { isWav, parseWavHeader } from './wav-header';

type State =
  /** Outside of a file. */
  | { readonly kind: 'none' }
  /** The header is not complete. */
  | { readonly kind: 'header'; readonly bytes: Buffer }
  /** `left`: bytes of sound; undefined where the header did not know. */
  | { readonly kind: 'data'; readonly format: PcmFormat; left: number | undefined; readonly trailer: number }
  /** Chunks after the sound. */
  | { readonly kind: 'trailer'; left: number };

/** What one piece held. */
export interface Unwrapped {
  /** Undefined while the header is not complete, or after the sound. */
  readonly format: PcmFormat | undefined;
  readonly data: Buffer;
  /** A file begins with this piece. */
  readonly begins: boolean;
  /** Its sound ends with this piece. */
  readonly ends: boolean;
}

const NOTHING = Buffer.alloc(0);

export class WavUnwrapper {
  private state: State = { kind: 'none' };

  /** Whether a file has begun and is not over. */
  get inside(): boolean {
    return this.state.kind !== 'none';
  }

  /** Whether `piece` belongs to a file. */
  takes(piece: Buffer): boolean {
    return this.inside || isWav(piece);
  }

  /**
   * Takes the next piece, for which {@link takes} holds.
   * @throws OrgoError `ORGO_BAD_INPUT` for a file that can not be read; the next piece is outside of it
   */
  unwrap(piece: Buffer): Unwrapped {
    if (isWav(piece)) this.state = { kind: 'header', bytes: NOTHING };
    const { state } = this;
    switch (state.kind) {
      case 'none':
        return { format: undefined, data: NOTHING, begins: false, ends: false };
      case 'header':
        return this.begin(state.bytes.length > 0 ? Buffer.concat([state.bytes, piece]) : piece);
      case 'data':
        return this.sound(state, piece, false);
      case 'trailer':
        state.left -= piece.length;
        if (state.left <= 0) this.reset();
        return { format: undefined, data: NOTHING, begins: false, ends: false };
    }
  }

  /** Forgets the file. */
  reset(): void {
    this.state = { kind: 'none' };
  }

  private begin(bytes: Buffer): Unwrapped {
    // Where the header throws, the file is over.
    this.reset();
    const header = parseWavHeader(bytes);
    if (!header) {
      this.state = { kind: 'header', bytes: Buffer.from(bytes) };
      return { format: undefined, data: NOTHING, begins: false, ends: false };
    }
    const { format, dataStart, dataLength, trailerLength } = header;
    const state = { kind: 'data', format, left: dataLength, trailer: trailerLength } as const;
    return this.sound(state, bytes.subarray(dataStart), true);
  }

  private sound(state: State & { kind: 'data' }, piece: Buffer, begins: boolean): Unwrapped {
    const { format, left, trailer } = state;
    const taken = Math.min(piece.length, left ?? Infinity);
    const ends = left !== undefined && taken === left;
    if (ends) {
      const after = trailer - (piece.length - taken);
      this.state = after > 0 ? { kind: 'trailer', left: after } : { kind: 'none' };
    } else {
      this.state = { kind: 'data', format, left: left === undefined ? undefined : left - taken, trailer };
    }
    return { format, data: piece.subarray(0, taken), begins, ends };
  }
}
