/** Recognises a file by its first bytes, never by its name. */
import { OrgoError } from '../audio/errors';
import { isWav, parseWavHeader } from '../containers/wav-header';
import { MAX_SAMPLE_RATE, MIN_SAMPLE_RATE } from '../resample/options';
import { adtsHeader, id3Length, mp3Header, type FrameHeader } from './mpeg-audio';
import { isMp4 } from './mp4';

/** `wav`, `ogg-opus`, `webm-opus`: decoded without ffmpeg; `mp3`, `aac`: named to ffmpeg; the rest ffmpeg recognises itself. */
export type SoundKind = 'wav' | 'ogg-opus' | 'webm-opus' | 'mp3' | 'aac' | 'mp4' | 'other';

/** So many bytes are enough to recognise every kind. */
export const SNIFF_BYTES = 4096;
/** Where the first packet of an Ogg stream begins, if its page holds it alone (RFC 7845 §3). */
const OGG_FIRST_PACKET = 28;

/**
 * @param isAll whether no more bytes come
 * @returns undefined while more bytes are needed
 */
export function sniff(bytes: Buffer, isAll: boolean): SoundKind | undefined {
  const enough = isAll || bytes.length >= SNIFF_BYTES;
  const magic = bytes.toString('latin1', 0, 4);
  if (magic === 'RIFF') return enough || bytes.length >= 12 ? wavKind(bytes, enough) : undefined;
  if (magic === 'OggS') {
    if (bytes.length < OGG_FIRST_PACKET + 10) return enough ? 'other' : undefined;
    const isOpus = bytes.toString('latin1', OGG_FIRST_PACKET, OGG_FIRST_PACKET + 8) === 'OpusHead';
    return isOpus && bytes.readUInt8(OGG_FIRST_PACKET + 9) <= 2 ? 'ogg-opus' : 'other';
  }
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === 0x1a45dfa3) {
    if (bytes.subarray(0, SNIFF_BYTES).includes('A_OPUS')) return 'webm-opus';
    return enough ? 'other' : undefined;
  }
  if (isMp4(bytes)) return 'mp4';
  const start = id3Length(bytes);
  if (start > 0 && start + 2 > bytes.length) return enough ? 'mp3' : undefined;
  if (twoFrames(bytes, start, mp3Header)) return 'mp3';
  if (twoFrames(bytes, start, adtsHeader)) return 'aac';
  return enough ? frameKindAnywhere(bytes) : undefined;
}

/** A WAV file that we can not decode ourselves is ffmpeg's. */
function wavKind(bytes: Buffer, enough: boolean): SoundKind | undefined {
  if (!isWav(bytes)) return 'other';
  try {
    const header = parseWavHeader(bytes);
    if (!header) return enough ? 'other' : undefined;
    const { sampleRate } = header.format;
    return sampleRate >= MIN_SAMPLE_RATE && sampleRate <= MAX_SAMPLE_RATE ? 'wav' : 'other';
  } catch (error) {
    if (error instanceof OrgoError) return 'other';
    throw error;
  }
}

type ReadHeader = (bytes: Buffer, at: number) => FrameHeader | undefined;

/** Whether a frame at `at` is followed by another of the same rate. */
function twoFrames(bytes: Buffer, at: number, read: ReadHeader): boolean {
  const first = read(bytes, at);
  const second = first && read(bytes, at + first.length);
  return second !== undefined && second.sampleRate === first?.sampleRate;
}

/** A radio, which is joined in the middle: three frames in a row, wherever they begin. */
function frameKindAnywhere(bytes: Buffer): SoundKind {
  for (let at = 0; at < Math.min(bytes.length, SNIFF_BYTES); at++) {
    if (bytes[at] !== 0xff) continue;
    for (const [kind, read] of [
      ['mp3', mp3Header],
      ['aac', adtsHeader],
    ] as const) {
      const first = read(bytes, at);
      if (first && twoFrames(bytes, at, read) && twoFrames(bytes, at + first.length, read)) return kind;
    }
  }
  return 'other';
}
