/** Opus packets of other lengths re-cut to 20 ms, without decoding (RFC 6716 §3.2). */
import { parsePacket } from '../opus/packet';
import { splitFrames } from './opus-frames';
import { FRAME_SAMPLES } from './sound-packet';

/** Low two bits of the first byte: one frame, two of equal length, two of any length. */
const [ONE_FRAME, TWO_EQUAL, TWO_ANY] = [0, 1, 2];
const CODE_BITS = 3;
/** A length up to this takes one byte. */
const ONE_BYTE_LENGTH = 251;

/**
 * Packets of 20 ms pass untouched. Longer ones made of frames of 2.5 to 20 ms are cut between frames, and packets of
 * 10 ms are joined by two where both are coded alike. What else comes must be encoded anew.
 */
export class OpusRecut {
  private half: Buffer | undefined;

  /**
   * @returns packets of 20 ms, or undefined where only decoding and encoding helps
   * @throws OrgoError `ORGO_BAD_INPUT` for what is no packet; the next one is taken again
   */
  push(packet: Buffer): Buffer[] | undefined {
    const { samples, frameSamples } = parsePacket(packet);
    if (samples !== FRAME_SAMPLES / 2) this.half = undefined;
    if (samples === FRAME_SAMPLES) return [packet];
    if (samples === FRAME_SAMPLES / 2) return this.join(packet);
    if (frameSamples > FRAME_SAMPLES || samples % FRAME_SAMPLES !== 0) return undefined;
    return cut(packet, FRAME_SAMPLES / frameSamples);
  }

  reset(): void {
    this.half = undefined;
  }

  private join(packet: Buffer): Buffer[] | undefined {
    const { half } = this;
    this.half = packet;
    if (half === undefined) return [];
    if (!sameCoding(half, packet)) return undefined;
    this.half = undefined;
    return [pack([...splitFrames(half), ...splitFrames(packet)], packet)];
  }
}

/** Whether two packets may share one first byte: mode, bandwidth, frame length and channels. */
function sameCoding(a: Buffer, b: Buffer): boolean {
  return ((a[0] ?? 0) & ~CODE_BITS) === ((b[0] ?? 0) & ~CODE_BITS);
}

function cut(packet: Buffer, framesEach: number): Buffer[] {
  const frames = splitFrames(packet);
  const packets: Buffer[] = [];
  for (let i = 0; i < frames.length; i += framesEach)
    packets.push(pack(frames.slice(i, i + framesEach), packet));
  return packets;
}

/** One packet of `frames`, coded as `like`. */
function pack(frames: readonly Buffer[], like: Buffer): Buffer {
  const toc = (like[0] ?? 0) & ~CODE_BITS;
  const [first = Buffer.alloc(0), second] = frames;
  if (frames.length === 1) return Buffer.concat([Buffer.of(toc | ONE_FRAME), first]);
  if (frames.length === 2 && second) {
    if (first.length === second.length) return Buffer.concat([Buffer.of(toc | TWO_EQUAL), first, second]);
    return Buffer.concat([Buffer.of(toc | TWO_ANY), lengthBytes(first.length), first, second]);
  }
  const VBR = 0x80;
  const lengths = frames.slice(0, -1).map((frame) => lengthBytes(frame.length));
  return Buffer.concat([Buffer.of(toc | CODE_BITS, VBR | frames.length), ...lengths, ...frames]);
}

/** RFC 6716 §3.2.1. */
function lengthBytes(length: number): Buffer {
  if (length <= ONE_BYTE_LENGTH) return Buffer.of(length);
  const first = 252 + (length & 3);
  return Buffer.of(first, (length - first) >> 2);
}
