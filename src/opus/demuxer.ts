/** What every reader of a container gives: the header of a stream of Opus, and its packets. */
import type { OpusHead } from './opus-head';

export type Demuxed =
  /** A stream begins; the one before, if any, is over. */
  { readonly kind: 'head'; readonly head: OpusHead } | DemuxedPacket;

/** Samples are at 48 kHz. */
export interface DemuxedPacket {
  readonly kind: 'packet';
  /** A packet by the container's word; it was not parsed. */
  readonly data: Buffer;
  /** What the container says is missing just before. */
  readonly missing: number;
  /** What the container says is to be cut off at its end; the packet's whole length at most. */
  readonly padding: number;
}

export interface Demuxer {
  /**
   * Takes the next bytes, cut anywhere.
   * @throws OrgoError `ORGO_BAD_INPUT` where they hold no Opus; what follows is taken for a new file
   */
  push(bytes: Buffer): Demuxed[];
}

/** Bytes are worked off in pieces of this size, so that a whole file needs no copy of itself. */
export const PIECE_BYTES = 65536;
