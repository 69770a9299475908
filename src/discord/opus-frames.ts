/** The compressed frames within one Opus packet (RFC 6716 §3.2). */
import { parsePacket } from '../opus/packet';

interface Length {
  readonly length: number;
  /** Bytes that it takes. */
  readonly size: number;
}

/**
 * The frames of a packet in order, without its padding; they share its memory.
 * @throws OrgoError `ORGO_BAD_INPUT` for what is no legal packet
 */
export function splitFrames(packet: Buffer): Buffer[] {
  const { frames } = parsePacket(packet);
  const code = (packet[0] ?? 0) & 3;
  if (code === 0) return [packet.subarray(1)];
  if (code === 1) return equalFrames(packet.subarray(1), frames);
  if (code === 2) {
    const first = readLength(packet, 1);
    return sizedFrames(packet.subarray(1 + first.size), [first.length]);
  }
  return splitCode3(packet, frames);
}

function splitCode3(packet: Buffer, frames: number): Buffer[] {
  const countByte = packet[1] ?? 0;
  let offset = 2;
  let padding = 0;
  for (let more = (countByte & 0x40) !== 0; more;) {
    const value = packet[offset++] ?? 0;
    more = value === 255;
    padding += more ? 254 : value;
  }
  const end = packet.length - padding;
  if ((countByte & 0x80) === 0) return equalFrames(packet.subarray(offset, end), frames);
  const lengths: number[] = [];
  while (lengths.length < frames - 1) {
    const { length, size } = readLength(packet, offset);
    lengths.push(length);
    offset += size;
  }
  return sizedFrames(packet.subarray(offset, end), lengths);
}

function equalFrames(body: Buffer, frames: number): Buffer[] {
  const length = body.length / frames;
  return Array.from({ length: frames }, (_, i) => body.subarray(i * length, (i + 1) * length));
}

/** @param lengths of all frames but the last, which takes the rest */
function sizedFrames(body: Buffer, lengths: readonly number[]): Buffer[] {
  let offset = 0;
  const frames = lengths.map((length) => body.subarray(offset, (offset += length)));
  return [...frames, body.subarray(offset)];
}

function readLength(packet: Buffer, offset: number): Length {
  const first = packet[offset] ?? 0;
  if (first < 252) return { length: first, size: 1 };
  return { length: (packet[offset + 1] ?? 0) * 4 + first, size: 2 };
}
