/** Reads the structure of an Opus packet (RFC 6716 §3), so that only whole, legal ones reach a library. */
import { OrgoError } from '../audio/errors';

/** Opus counts time in samples of this rate, whatever the encoder was fed with. Hz */
export const OPUS_CLOCK_RATE = 48000;
/** A packet lasts at most 120 ms (RFC 6716 §3.2.5, R5), here at 48 kHz. */
export const MAX_PACKET_SAMPLES = 5760;
/** Longest frame (R2), bytes. */
const MAX_FRAME_BYTES = 1275;
/**
 * 48 frames of the greatest length, each with two bytes of length, and the first two bytes, come to 61,298;
 * only padding makes a packet longer.
 */
export const MAX_PACKET_BYTES = 61440;

/** Frame durations of the 32 configurations, in samples at 48 kHz (RFC 6716 table 2). */
const SILK_FRAMES = [480, 960, 1920, 2880] as const;
const HYBRID_FRAMES = [480, 960] as const;
const CELT_FRAMES = [120, 240, 480, 960] as const;
const FIRST_HYBRID_CONFIG = 12;
const FIRST_CELT_CONFIG = 16;

/** What the first byte of a packet (TOC) and its frame count say. */
export interface OpusPacketInfo {
  readonly stereo: boolean;
  /** Length of one frame, samples at 48 kHz. */
  readonly frameSamples: number;
  readonly frames: number;
  /** Length of the whole packet, samples at 48 kHz. */
  readonly samples: number;
}

/**
 * Reads the packet's structure and checks rules R1 to R7 of RFC 6716 §3.4.
 * @throws OrgoError `ORGO_BAD_INPUT` naming the rule that is broken
 */
export function parsePacket(packet: Buffer): OpusPacketInfo {
  const found = inspectPacket(packet);
  if (typeof found !== 'string') return found;
  throw new OrgoError(
    'ORGO_BAD_INPUT',
    `A Buffer of ${packet.length} bytes is no Opus packet: ${found}. Send one whole packet a message`,
  );
}

/** Length of a packet, samples at 48 kHz; 0 where `data` is none. Throws nothing, since errors are slow to make. */
export function packetSamples(data: Buffer): number {
  const found = inspectPacket(data);
  return typeof found === 'string' ? 0 : found.samples;
}

/** What the packet says of itself, or why it is none. */
function inspectPacket(packet: Buffer): OpusPacketInfo | string {
  const toc = packet[0];
  if (toc === undefined) return 'it is empty';
  if (packet.length > MAX_PACKET_BYTES) return `at most ${MAX_PACKET_BYTES} bytes are taken`;
  const frameSamples = tocFrameSamples(toc);
  const frames = countFrames(packet, toc & 3, frameSamples);
  if (typeof frames === 'string') return frames;
  return { stereo: (toc & 4) !== 0, frameSamples, frames, samples: frames * frameSamples };
}

/** Length of one frame by the TOC byte, samples at 48 kHz. */
function tocFrameSamples(toc: number): number {
  const config = toc >> 3;
  const durations: readonly number[] =
    config >= FIRST_CELT_CONFIG ? CELT_FRAMES : config >= FIRST_HYBRID_CONFIG ? HYBRID_FRAMES : SILK_FRAMES;
  return durations[config % durations.length] ?? 0;
}

/** Number of frames, or why their lengths are not legal or do not fill the packet. */
function countFrames(packet: Buffer, code: number, frameSamples: number): number | string {
  const body = packet.length - 1;
  switch (code) {
    case 0:
      return frameProblem(body) ?? 1;
    case 1:
      if (body % 2 !== 0) return 'its two frames are not of equal length (R3)';
      return frameProblem(body / 2) ?? 2;
    case 2: {
      const first = readLength(packet, 1);
      return typeof first === 'string' ? first : (frameProblem(body - first.size - first.length) ?? 2);
    }
    default:
      return countCode3(packet, frameSamples);
  }
}

/** Code 3: a count byte (VBR, padding, M), padding lengths, then M frames (RFC 6716 §3.2.5). */
function countCode3(packet: Buffer, frameSamples: number): number | string {
  const countByte = packet[1];
  if (countByte === undefined) return 'its frame count is missing (R6)';
  const frames = countByte & 0x3f;
  if (frames === 0 || frames * frameSamples > MAX_PACKET_SAMPLES)
    return `its ${frames} frames do not last 2.5 to 120 ms (R5)`;
  let offset = 2;
  let padding = 0;
  if ((countByte & 0x40) !== 0) {
    let more = true;
    while (more) {
      const value = packet[offset++];
      if (value === undefined) return 'its padding length is cut off (R6)';
      more = value === 255;
      padding += more ? 254 : value;
    }
  }
  let left = packet.length - offset - padding;
  if (left < 0) return 'its padding is longer than the packet (R6)';
  if ((countByte & 0x80) === 0) {
    if (left % frames !== 0) return `its ${frames} frames are not of equal length (R6)`;
    return frameProblem(left / frames) ?? frames;
  }
  for (let frame = 0; frame < frames - 1; frame++) {
    const read = readLength(packet, offset);
    if (typeof read === 'string') return read;
    offset += read.size;
    left -= read.size + read.length;
  }
  return frameProblem(left) ?? frames;
}

/** A frame length in one or two bytes (RFC 6716 §3.2.1): at most 1275 by its form. Text: why there is none. */
function readLength(packet: Buffer, offset: number): { length: number; size: number } | string {
  const first = packet[offset];
  if (first === undefined) return 'a frame length is missing';
  if (first < 252) return { length: first, size: 1 };
  const second = packet[offset + 1];
  if (second === undefined) return 'a frame length is cut off';
  return { length: second * 4 + first, size: 2 };
}

function frameProblem(length: number): string | undefined {
  if (length < 0) return 'its frames are cut off';
  if (length > MAX_FRAME_BYTES) return `a frame of ${length} bytes is longer than ${MAX_FRAME_BYTES} (R2)`;
  return undefined;
}

/** Longest first: any whole number of 2.5 ms is a sum of these. Samples at 48 kHz, with their CELT configuration. */
const LOST_FRAMES = [
  { samples: 960, toc: (FIRST_CELT_CONFIG + 15) << 3 },
  { samples: 480, toc: (FIRST_CELT_CONFIG + 14) << 3 },
  { samples: 240, toc: (FIRST_CELT_CONFIG + 13) << 3 },
  { samples: 120, toc: (FIRST_CELT_CONFIG + 12) << 3 },
] as const;

/**
 * Packets without any sound, which make a decoder conceal `samples` of loss: a frame of no bytes is a lost one,
 * as long as its TOC says (RFC 6716 §3.2.1). Both libraries offer no other way to conceal a chosen length.
 * @param samples at 48 kHz, rounded up to whole 2.5 ms
 * @param stereo as in the packets before, so that the decoder keeps its layout
 */
export function lostPackets(samples: number, stereo: boolean): Buffer[] {
  const packets: Buffer[] = [];
  let left = Math.ceil(samples / 120) * 120;
  for (const frame of LOST_FRAMES) {
    for (; left >= frame.samples; left -= frame.samples)
      packets.push(Buffer.of(frame.toc | (stereo ? 4 : 0)));
  }
  return packets;
}
