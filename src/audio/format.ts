/** What a payload holds: its encoding, sample rate and channels, and the arithmetic that follows from them. */

/** Encodings of raw samples: signed 16-bit and 32-bit float (full scale ±1), little-endian, interleaved. */
export type PcmEncoding = 's16le' | 'f32le';

/** Bytes of which only a decoder can tell what they are. No message that leaves a node names it. */
export type UnknownFile = 'file';

/** Everything that a payload of the message contract may hold. */
export type Encoding = PcmEncoding | 'opus' | 'wav' | 'ogg' | 'webm' | 'mp3' | 'aac' | 'flac' | UnknownFile;

export type Channels = 1 | 2;

export interface AudioFormat<E extends Encoding = Encoding> {
  readonly encoding: E;
  /** Hz */
  readonly sampleRate: number;
  readonly channels: Channels;
}

export type PcmFormat = AudioFormat<PcmEncoding>;

const BYTES_PER_SAMPLE: Readonly<Record<PcmEncoding, number>> = { s16le: 2, f32le: 4 };

/** Whether `encoding` names raw samples. */
export function isPcmEncoding(encoding: unknown): encoding is PcmEncoding {
  return encoding === 's16le' || encoding === 'f32le';
}

/** Whether `format` holds raw samples. */
export function isPcm(format: AudioFormat): format is PcmFormat {
  return isPcmEncoding(format.encoding);
}

/** Bytes of one sample in every channel. */
export function bytesPerSample(format: PcmFormat): number {
  return BYTES_PER_SAMPLE[format.encoding] * format.channels;
}

/** Samples per channel in `ms` milliseconds, to the nearest whole one. */
export function samplesInMs(sampleRate: number, ms: number): number {
  return Math.round((sampleRate * ms) / 1000);
}

/** Milliseconds that `samples` samples per channel last. */
export function msOfSamples(sampleRate: number, samples: number): number {
  return (samples * 1000) / sampleRate;
}

export function sameFormat(a: AudioFormat, b: AudioFormat): boolean {
  return a.encoding === b.encoding && a.sampleRate === b.sampleRate && a.channels === b.channels;
}

/** `24000 Hz mono s16le`: for status texts, logs and errors. */
export function formatText(format: AudioFormat): string {
  return `${format.sampleRate} Hz ${format.channels === 1 ? 'mono' : 'stereo'} ${format.encoding}`;
}
