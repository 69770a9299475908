/** Headers of MP3 and ADTS frames, and the sound's exact length from LAME's tag. */

export interface FrameHeader {
  /** Bytes of the whole frame. */
  readonly length: number;
  /** Per channel. */
  readonly samples: number;
  /** Hz */
  readonly sampleRate: number;
}

/** kbit/s by index, of layer III: MPEG-1, and MPEG-2 and 2.5 (ISO/IEC 11172-3 and 13818-3). */
const BITRATES_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const BITRATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
/** Hz by index, of MPEG-1; halved for MPEG-2, quartered for 2.5. */
const MP3_RATES = [44100, 48000, 32000];
/** Hz by index (ISO/IEC 14496-3, samplingFrequencyIndex). */
const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
export const MP3_HEADER_BYTES = 4;
export const ADTS_HEADER_BYTES = 7;

/** The header of a layer III frame at `at`; undefined where none is. */
export function mp3Header(bytes: Buffer, at: number): FrameHeader | undefined {
  if (at + MP3_HEADER_BYTES > bytes.length) return undefined;
  const word = bytes.readUInt32BE(at);
  const version = (word >>> 19) & 3;
  if (word >>> 21 !== 0x7ff || version === 1 || ((word >>> 17) & 3) !== 1) return undefined;
  const kbits = (version === 3 ? BITRATES_1 : BITRATES_2)[(word >>> 12) & 15];
  const rate = MP3_RATES[(word >>> 10) & 3];
  if (!kbits || rate === undefined) return undefined;
  const sampleRate = version === 3 ? rate : version === 2 ? rate / 2 : rate / 4;
  const samples = version === 3 ? 1152 : 576;
  const padding = (word >>> 9) & 1;
  return { length: Math.floor((samples * 125 * kbits) / sampleRate) + padding, samples, sampleRate };
}

/** The header of an ADTS frame at `at`; undefined where none is. */
export function adtsHeader(bytes: Buffer, at: number): FrameHeader | undefined {
  if (at + ADTS_HEADER_BYTES > bytes.length) return undefined;
  if ((bytes.readUInt16BE(at) & 0xfff6) !== 0xfff0) return undefined;
  const sampleRate = AAC_RATES[(bytes.readUInt8(at + 2) >>> 2) & 15];
  const length = (bytes.readUIntBE(at + 3, 3) >>> 5) & 0x1fff;
  if (sampleRate === undefined || length < ADTS_HEADER_BYTES) return undefined;
  return { length, samples: 1024 * ((bytes.readUInt8(at + 6) & 3) + 1), sampleRate };
}

/** Bytes of an ID3v2 tag in front, its header included; 0 where there is none. */
export function id3Length(bytes: Buffer): number {
  if (bytes.length < 10 || bytes.toString('latin1', 0, 3) !== 'ID3') return 0;
  const size = [6, 7, 8, 9].reduce((sum, at) => sum * 128 + (bytes.readUInt8(at) & 0x7f), 0);
  return 10 + size + (bytes.readUInt8(5) & 0x10 ? 10 : 0);
}

/** The sound's length without what the codec added, as a file states it. */
export interface ExactLength {
  /** Per channel, at `sampleRate`. */
  readonly samples: number;
  /** Hz */
  readonly sampleRate: number;
}

/** Decoders add this to the encoder's delay; LAME's tag does not count it (LAME's own documentation of its tag). */
const MAX_TAG_OFFSET = 36;

/** The length of an MP3 by the tag that LAME and ffmpeg put into its first frame; undefined where it has none. */
export function mp3Length(bytes: Buffer): ExactLength | undefined {
  const at = id3Length(bytes);
  const header = mp3Header(bytes, at);
  if (!header || bytes.length < at + header.length) return undefined;
  const frame = bytes.subarray(at, at + header.length);
  const tag = frame
    .subarray(0, MAX_TAG_OFFSET + 4)
    .toString('latin1')
    .search(/Xing|Info/);
  if (tag < 0 || tag + 8 > frame.length) return undefined;
  const flags = frame.readUInt32BE(tag + 4);
  if (!(flags & 1)) return undefined;
  const fields = [4, 4, 100, 4].reduce((sum, size, bit) => sum + (flags & (1 << bit) ? size : 0), 0);
  // Nine letters of the encoder's name, then 12 bytes, then 12 bits of delay and 12 of padding.
  const delays = tag + 8 + fields + 21;
  if (delays + 3 > frame.length) return undefined;
  const delay = frame.readUInt16BE(delays) >>> 4;
  const padding = frame.readUInt16BE(delays + 1) & 0xfff;
  const samples = frame.readUInt32BE(tag + 8) * header.samples - delay - padding;
  return samples > 0 && delay > 0 ? { samples, sampleRate: header.sampleRate } : undefined;
}
