/** What every reader of a container gives: the header of a stream of Opus, and its packets. */
import type { OpusHead } from './opus-head';

export type Demuxed =
  /** A stream begins; the one before, if any, is over. */
  | { readonly kind: 'head'; readonly head: OpusHead }
  | DemuxedPacket
  /** Work was done, whether or not it gave a packet: so many bytes were looked at, some perhaps twice. */
  | { readonly kind: 'read'; readonly bytes: number };

/** Samples are at 48 kHz. */
export interface DemuxedPacket {
  readonly kind: 'packet';
  /** A packet that is whole and legal, in memory of its own. */
  readonly data: Buffer;
  readonly samples: number;
  /** What the container says is missing just before. */
  readonly missing: number;
  /** What the container says is to be cut off at its end; the packet's whole length at most. */
  readonly padding: number;
}

export interface Demuxer {
  /**
   * Takes the next bytes, cut anywhere, and gives what they hold bit by bit: between two items, the caller may
   * pause. It must take all of them before the next push.
   * @throws OrgoError `ORGO_BAD_INPUT` where they hold no Opus; what follows is taken for a new file
   */
  push(bytes: Buffer): Generator<Demuxed, void>;
}

/** Bytes are processed in pieces of this size, so that a whole file needs no copy of itself. */
export const PIECE_BYTES = 65536;
/** A place that lies more than a day after the last one is damage, not a loss. Samples at 48 kHz */
export const MAX_LOSS = 24 * 3600 * 48000;
