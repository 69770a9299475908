/** The header of a WAV file: written, also for a stream whose end is not known, and read. */
import { OrgoError } from '../audio/errors';
import { bytesPerSample, type PcmEncoding, type PcmFormat } from '../audio/format';

/** Bytes that {@link wavHeader} writes. */
export const WAV_HEADER_BYTES = 44;

const FORMAT_TAGS: Readonly<Record<PcmEncoding, number>> = { s16le: 1, f32le: 3 };
const EXTENSIBLE = 0xfffe;
/** Bytes of an extensible format before the GUID of its sub-format, and that GUID after its first two bytes. */
const EXTENSIBLE_FMT_BYTES = 24;
const SUBFORMAT_TAIL = Buffer.from('000000001000800000aa00389b71', 'hex');
const MIN_FMT_BYTES = 16;
const CHUNK_HEADER_BYTES = 8;
/** Stands for a length that is not known yet, as ffmpeg writes it; some writers leave 0. */
const UNKNOWN_LENGTH = 0xffffffff;
/** Where the sound must have begun: a header may hold pictures, but none may make us wait for gigabytes. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** Tags, cue points and pictures after the sound stay below this. */
const MAX_TRAILER_BYTES = MAX_HEADER_BYTES;

export interface WavHeader {
  readonly format: PcmFormat;
  /** Where the samples begin, in bytes. */
  readonly dataStart: number;
  /** Bytes of samples; other chunks may follow them. Undefined: to the end, since the writer did not know. */
  readonly dataLength: number | undefined;
  /** Bytes after the samples that still belong to the file: chunks that hold no sound. */
  readonly trailerLength: number;
}

/**
 * A header of {@link WAV_HEADER_BYTES} bytes for what follows.
 * @param samples per channel; undefined for a stream whose end is not known, which players take as it comes
 */
export function wavHeader(format: PcmFormat, samples?: number): Buffer {
  const { encoding, sampleRate, channels } = format;
  const size = bytesPerSample(format);
  const length = samples === undefined ? UNKNOWN_LENGTH : samples * size;
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(Math.min(length + WAV_HEADER_BYTES - CHUNK_HEADER_BYTES, UNKNOWN_LENGTH), 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(MIN_FMT_BYTES, 16);
  header.writeUInt16LE(FORMAT_TAGS[encoding], 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * size, 28);
  header.writeUInt16LE(size, 32);
  header.writeUInt16LE((size / channels) * 8, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(Math.min(length, UNKNOWN_LENGTH), 40);
  return header;
}

/** Whether `data` begins as a WAV file does. */
export function isWav(data: Buffer): boolean {
  return data.length >= 12 && textAt(data, 0) === 'RIFF' && textAt(data, 8) === 'WAVE';
}

/**
 * Reads the header in front of `data`, for which {@link isWav} holds; undefined while more of it must come.
 * @throws OrgoError `ORGO_BAD_INPUT` for a file that is broken, or holds anything but s16 or f32, mono or stereo
 */
export function parseWavHeader(data: Buffer): WavHeader | undefined {
  let format: PcmFormat | undefined;
  for (let at = 12; at + CHUNK_HEADER_BYTES <= data.length;) {
    const id = textAt(data, at);
    const length = data.readUInt32LE(at + 4);
    const start = at + CHUNK_HEADER_BYTES;
    if (id === 'data') {
      if (!format) throw bad('no fmt chunk before its data');
      if (length === 0 || length === UNKNOWN_LENGTH) {
        return { format, dataStart: start, dataLength: undefined, trailerLength: 0 };
      }
      const trailerLength = trailerOf(data.readUInt32LE(4), start + length);
      return { format, dataStart: start, dataLength: length, trailerLength };
    }
    // Chunks begin at even places.
    const end = start + length + (length % 2);
    if (end > MAX_HEADER_BYTES) throw bad(`no data within its first ${MAX_HEADER_BYTES} bytes`);
    if (end > data.length) return undefined;
    if (id === 'fmt ') format = parseFormat(data.subarray(start, start + length));
    at = end;
  }
  return undefined;
}

/**
 * Bytes of the file that follow its sound, by the length in its first chunk. Where that is unknown, or longer than
 * chunks without sound ever are, there are none: they would swallow whatever comes after the file.
 */
function trailerOf(riffLength: number, soundEnd: number): number {
  const length = riffLength + CHUNK_HEADER_BYTES - soundEnd;
  return length > 0 && length <= MAX_TRAILER_BYTES ? length : 0;
}

function parseFormat(fmt: Buffer): PcmFormat {
  if (fmt.length < MIN_FMT_BYTES) throw bad(`a fmt chunk of ${fmt.length} bytes`);
  const channels = fmt.readUInt16LE(2);
  const sampleRate = fmt.readUInt32LE(4);
  const blockBytes = fmt.readUInt16LE(12);
  const bits = fmt.readUInt16LE(14);
  const encoding = encodingOf(formatTag(fmt), bits);
  if (channels !== 1 && channels !== 2) throw bad(`${channels} channels: 1 or 2 are wanted`);
  if (sampleRate === 0) throw bad('a sample rate of 0');
  const format: PcmFormat = { encoding, sampleRate, channels };
  if (blockBytes !== bytesPerSample(format)) {
    throw bad(`${blockBytes} bytes a sample where ${channels} × ${bits} bits are ${bytesPerSample(format)}`);
  }
  return format;
}

function formatTag(fmt: Buffer): number {
  const tag = fmt.readUInt16LE(0);
  if (tag !== EXTENSIBLE) return tag;
  const tailStart = EXTENSIBLE_FMT_BYTES + 2;
  const tail = fmt.subarray(tailStart, tailStart + SUBFORMAT_TAIL.length);
  if (!tail.equals(SUBFORMAT_TAIL)) throw bad('an extensible format that is no PCM');
  return fmt.readUInt16LE(EXTENSIBLE_FMT_BYTES);
}

function encodingOf(tag: number, bits: number): PcmEncoding {
  if (tag === FORMAT_TAGS.s16le && bits === 16) return 's16le';
  if (tag === FORMAT_TAGS.f32le && bits === 32) return 'f32le';
  const kind = tag === FORMAT_TAGS.s16le ? 'PCM' : tag === FORMAT_TAGS.f32le ? 'float' : `format ${tag}`;
  throw bad(`${bits}-bit ${kind} samples: 16-bit PCM or 32-bit float is wanted`);
}

function textAt(data: Buffer, at: number): string {
  return data.toString('latin1', at, at + 4);
}

function bad(what: string): OrgoError {
  return new OrgoError('ORGO_BAD_INPUT', `The WAV file has ${what}`);
}
