/** Counts the sound in MP3, ADTS and FLAC bytes as an encoder makes them, cut anywhere. */
import type { FfmpegFormat } from './commands';
import { ADTS_HEADER_BYTES, adtsHeader, MP3_HEADER_BYTES, mp3Header, type FrameHeader } from './mpeg-audio';

export interface FrameCounter {
  /** Hz of the encoded sound; undefined before its first frame. */
  readonly sampleRate: number | undefined;
  /** Samples of the sound at the encoder's input that came out ahead of it: silence that it puts first. */
  readonly delay: number;
  /** Samples per channel of the frames that begin in these bytes. */
  push(bytes: Buffer): number;
}

/** LAME's delay and its decoder's: what ffmpeg's encoder reports as initial padding (libmp3lame.c: delay + 528 + 1). */
const MP3_DELAY = 1105;
/** One frame: the initial padding of ffmpeg's own encoder (aacenc.c). */
const AAC_DELAY = 1024;

export function frameCounter(format: FfmpegFormat): FrameCounter {
  if (format === 'mp3') return new HeaderWalker(mp3Header, MP3_HEADER_BYTES, MP3_DELAY);
  return format === 'aac' ? new HeaderWalker(adtsHeader, ADTS_HEADER_BYTES, AAC_DELAY) : new FlacCounter();
}

/** Goes from header to header by the frames' lengths. */
class HeaderWalker implements FrameCounter {
  sampleRate: number | undefined;
  private held: Buffer = Buffer.alloc(0);
  /** Bytes until the next header. */
  private skip = 0;

  constructor(
    private readonly read: (bytes: Buffer, at: number) => FrameHeader | undefined,
    private readonly headerBytes: number,
    readonly delay: number,
  ) {}

  push(bytes: Buffer): number {
    const all = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    let samples = 0;
    let at = this.skip;
    while (at + this.headerBytes <= all.length) {
      const header = this.read(all, at);
      // ffmpeg never wrote such bytes: look for the next header.
      if (!header) {
        at++;
        continue;
      }
      this.sampleRate ??= header.sampleRate;
      samples += header.samples;
      at += header.length;
    }
    this.held = at < all.length ? Buffer.from(all.subarray(at)) : Buffer.alloc(0);
    this.skip = Math.max(0, at - all.length);
    return samples;
  }
}

const FLAC_HEAD_BYTES = 42;
/** Sync code, and what follows it up to its checksum: at most 16 bytes (RFC 9639 §9.1). */
const FLAC_FRAME_HEADER_BYTES = 16;

/** The length of a FLAC frame is not in its header: headers are found by sync code, number and checksum. */
class FlacCounter implements FrameCounter {
  readonly delay = 0;
  sampleRate: number | undefined;
  private held: Buffer = Buffer.alloc(0);
  private blockSize = 0;
  private nextNumber = 0;

  push(bytes: Buffer): number {
    let all = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    if (this.sampleRate === undefined) {
      if (all.length < FLAC_HEAD_BYTES) {
        this.held = Buffer.from(all);
        return 0;
      }
      // STREAMINFO: the block size that all frames but the last have, and 20 bits of rate (RFC 9639 §8.2).
      this.blockSize = all.readUInt16BE(10);
      this.sampleRate = all.readUIntBE(18, 3) >>> 4;
      all = all.subarray(FLAC_HEAD_BYTES);
    }
    let samples = 0;
    let at = 0;
    for (; at + FLAC_FRAME_HEADER_BYTES <= all.length; at++) {
      if (all[at] !== 0xff || all[at + 1] !== 0xf8 || !this.isNextHeader(all, at)) continue;
      samples += this.blockSize;
      this.nextNumber++;
    }
    this.held = Buffer.from(all.subarray(at));
    return samples;
  }

  private isNextHeader(bytes: Buffer, at: number): boolean {
    const number = utf8Number(bytes, at + 4);
    if (number?.value !== this.nextNumber) return false;
    const sizeCode = bytes.readUInt8(at + 2) >>> 4;
    const rateCode = bytes.readUInt8(at + 2) & 15;
    const sizeBytes = sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0;
    const rateBytes = rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0;
    const end = at + 4 + number.length + sizeBytes + rateBytes;
    return crc8(bytes.subarray(at, end)) === bytes[end];
  }
}

/** A number as FLAC writes it, like UTF-8 but up to 36 bits; undefined where none is. */
function utf8Number(bytes: Buffer, at: number): { value: number; length: number } | undefined {
  const first = bytes.readUInt8(at);
  if (first < 0x80) return { value: first, length: 1 };
  const length = Math.clz32(~(first << 24));
  if (length < 2 || length > 7) return undefined;
  let value = first & (0x7f >>> length);
  for (let i = 1; i < length; i++) value = value * 64 + (bytes.readUInt8(at + i) & 0x3f);
  return { value, length };
}

/** Polynomial x⁸ + x² + x + 1 (RFC 9639 §9.1.8). */
function crc8(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
  }
  return crc;
}
