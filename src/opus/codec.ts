/** The one way to an Opus library: nothing passes that could end the process, and every failure is an OrgoError. */
import { errorText, OrgoError } from '../audio/errors';
import { msOfSamples, type Channels } from '../audio/format';
import type { DecoderRequest, EncoderRequest, LibraryCodec, OpusLibrary, OpusRate } from './library';
import { parsePacket } from './packet';

/** Frame lengths that Opus encodes (RFC 6716 §2.1.4), ms. */
export const FRAME_LENGTHS_MS = [2.5, 5, 10, 20, 40, 60] as const;
export type FrameMs = (typeof FRAME_LENGTHS_MS)[number];

const BYTES_PER_SAMPLE = 2;

/** An encoder and a decoder for one stream, at one rate and channel count. */
export class OpusCodec {
  private codec: LibraryCodec | undefined;

  constructor(
    readonly library: OpusLibrary,
    readonly sampleRate: OpusRate,
    readonly channels: Channels,
  ) {
    this.codec = attempt(library, 'open a codec', () => library.open(sampleRate, channels));
  }

  /**
   * Encodes one frame.
   * @param pcm s16le, interleaved, of exactly one of {@link FRAME_LENGTHS_MS}
   * @throws RangeError where it is not: the native library would end the process
   */
  encode(pcm: Buffer): Buffer {
    const frameSamples = pcm.length / (BYTES_PER_SAMPLE * this.channels);
    const ms = msOfSamples(this.sampleRate, frameSamples);
    if (!FRAME_LENGTHS_MS.some((allowed) => allowed === ms))
      throw new RangeError(`OpusCodec.encode: ${pcm.length} bytes are no frame of ${this.sampleRate} Hz`);
    const codec = this.live();
    return attempt(this.library, 'encode', () => codec.encode(aligned(pcm), frameSamples));
  }

  /**
   * Decodes one packet to s16le; one without sound, as `lostPackets` makes them, conceals a loss.
   * @throws OrgoError `ORGO_BAD_INPUT` where it is no packet; the decoder is as it was before
   */
  decode(packet: Buffer): Buffer {
    parsePacket(packet);
    const codec = this.live();
    try {
      return codec.decode(packet);
    } catch (cause) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `${this.library.name} could not decode a packet of ${packet.length} bytes: ${errorText(cause)}`,
        { cause },
      );
    }
  }

  /** Sets one property of the encoder; `value` is one that libopus allows. */
  encoderControl(request: EncoderRequest, value: number): void {
    const codec = this.live();
    attempt(this.library, `set ${request} to ${value}`, () => codec.encoderControl(request, value));
  }

  /** Sets one property of the decoder; `value` is one that libopus allows. */
  decoderControl(request: DecoderRequest, value: number): void {
    const codec = this.live();
    attempt(this.library, `set ${request} to ${value}`, () => codec.decoderControl(request, value));
  }

  /** Frees it. May be called twice. */
  close(): void {
    this.codec?.close();
    this.codec = undefined;
  }

  private live(): LibraryCodec {
    if (!this.codec) throw new RangeError('OpusCodec: it was closed');
    return this.codec;
  }
}

/** libopus reads 16-bit samples, which some processors can't do at an odd address. */
function aligned(pcm: Buffer): Buffer {
  return pcm.byteOffset % BYTES_PER_SAMPLE === 0 ? pcm : Buffer.from(Uint8Array.from(pcm).buffer);
}

function attempt<T>(library: OpusLibrary, what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof OrgoError) throw cause;
    throw new OrgoError('ORGO_OPUS_FAILED', `${library.name} could not ${what}: ${errorText(cause)}`, {
      cause,
    });
  }
}
