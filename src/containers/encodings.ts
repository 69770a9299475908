/** How each encoding is recognised, counted and sliced: one entry each, so that code that handles messages names no codec. */
import { isPcm, type AudioFormat, type Encoding } from '../audio/format';
import { samplesIn } from '../audio/frame';
import { OPUS_CLOCK_RATE, packetSamples } from '../opus/packet';
import { isOgg } from './ogg-page';
import { isWav } from './wav-header';
import { isWebm } from './webm-reader';

export interface EncodingTraits {
  /** Whether `payload` is this encoding by its bytes. Raw samples look like nothing. */
  recognise(payload: Buffer): boolean;
  /** Samples per channel at the format's rate that the payload shows without being decoded; 0 where it shows none. */
  count(format: AudioFormat, payload: Buffer): number;
  /** Bytes that are processed in one go; undefined where a payload is a unit, or is sliced by its samples. */
  readonly sliceBytes: number | undefined;
}

/** Of a file, so that what it holds is known a little at a time. */
const FILE_SLICE_BYTES = 16_384;

const PCM: EncodingTraits = {
  recognise: () => false,
  count: (format, payload) => (isPcm(format) ? samplesIn(format, payload) : 0),
  sliceBytes: undefined,
};

function file(recognise: (payload: Buffer) => boolean): EncodingTraits {
  return { recognise, count: () => 0, sliceBytes: FILE_SLICE_BYTES };
}

/** In the order in which payloads are compared with them: files first, since their first bytes are certain. */
export const ENCODINGS: Readonly<Record<Encoding, EncodingTraits>> = {
  ogg: file(isOgg),
  webm: file(isWebm),
  wav: file(isWav),
  // Without such a tag only a decoder can recognise it: src/convert looks at the bytes itself.
  flac: file((payload) => payload.toString('latin1', 0, 4) === 'fLaC'),
  mp3: file((payload) => payload.toString('latin1', 0, 3) === 'ID3'),
  aac: file(() => false),
  // It goes to its decoder whole.
  file: { recognise: () => false, count: () => 0, sliceBytes: undefined },
  opus: {
    recognise: (payload) => packetSamples(payload) > 0,
    count: (format, payload) => Math.round((packetSamples(payload) * format.sampleRate) / OPUS_CLOCK_RATE),
    sliceBytes: undefined,
  },
  s16le: PCM,
  f32le: PCM,
};

/** What `payload` is by its bytes, among `encodings`; undefined where it may be raw samples, or anything else. */
export function recogniseEncoding(payload: Buffer, encodings: readonly Encoding[]): Encoding | undefined {
  const known = Object.keys(ENCODINGS) as Encoding[];
  return known.find((encoding) => encodings.includes(encoding) && ENCODINGS[encoding].recognise(payload));
}
