/** Opus packets into an Ogg stream that a player can follow while it grows (RFC 7845). */
import { msOfSamples, sameFormat } from '../audio/format';
import type { AudioFrame } from '../audio/frame';
import { Runs } from '../audio/runs';
import type { Transform } from '../audio/transform';
import type { OpusFrame } from '../opus/encoder';
import { parsePacket } from '../opus/packet';
import { OggLink } from './ogg-link';

export type OggFrame = AudioFrame<'ogg'>;

/** Of a loss, at most this much is written as lost packets; after a longer one a new stream begins. ms */
export const MAX_FILLED_MS = 2000;

/**
 * Each frame is a whole page, the first with the headers before it; nothing is ever written twice. A short loss is
 * filled with packets that make a decoder conceal it, as RFC 7845 §4.1 has it. A flush ends the stream, trimmed to
 * the sound that came; what comes after it is a new stream, chained to it.
 */
export class OggWriter implements Transform<'opus', OggFrame> {
  private readonly links: Runs<'opus', OggFrame, OggLink>;

  /** @param random from 0 to 1, for the serial number of each stream */
  constructor(random: () => number = Math.random) {
    this.links = new Runs({ start: (first) => new OggLink(first, random()), continues });
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` where the payload is no packet */
  push(frame: OpusFrame): OggFrame[] {
    parsePacket(frame.data);
    return this.links.push(frame);
  }

  /** Writes the last page. */
  flush(): OggFrame[] {
    return this.links.flush();
  }

  close(): void {
    this.links.close();
  }
}

/** A packet that is far from the last one, or comes after the end, begins a new stream; a jump alone does not. */
function continues(link: OggLink, { format, samples, gap }: OpusFrame): boolean {
  if (!sameFormat(link.format, format)) return false;
  if (link.ended) return samples === 0 && gap === 0;
  return msOfSamples(format.sampleRate, gap) <= MAX_FILLED_MS;
}
