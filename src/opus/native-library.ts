/** libopus by way of `@discordjs/opus`, an optional dependency. */
import { createRequire } from 'node:module';
import type { Channels } from '../audio/format';
import { DECODER_CTL, ENCODER_CTL } from './library';
import type { DecoderRequest, EncoderRequest, LibraryCodec, OpusLibrary, OpusRate } from './library';

interface NativeCodec {
  encode(pcm: Buffer): Buffer;
  decode(packet: Buffer): Buffer;
  applyEncoderCTL(request: number, value: number): void;
  applyDecoderCTL(request: number, value: number): void;
}

interface NativeModule {
  readonly OpusEncoder: new (sampleRate: number, channels: number) => NativeCodec;
}

const load: (name: string) => unknown = createRequire(__filename);

/** The library, or undefined where it is not installed or was built for another Node. */
export function loadNativeLibrary(): OpusLibrary | undefined {
  let loaded: unknown;
  try {
    loaded = load('@discordjs/opus');
  } catch {
    // Whatever the reason, the other library does the same work; the status shows which one runs.
    return undefined;
  }
  if (!isNativeModule(loaded)) return undefined;
  const { OpusEncoder } = loaded;
  const idle = new Map<string, NativeLibraryCodec[]>();
  return {
    name: '@discordjs/opus',
    open(sampleRate: OpusRate, channels: Channels): LibraryCodec {
      const kind = `${sampleRate} ${channels}`;
      const waiting = idle.get(kind) ?? [];
      idle.set(kind, waiting);
      return waiting.pop() ?? new NativeLibraryCodec(new OpusEncoder(sampleRate, channels), waiting);
    },
  };
}

/** OPUS_RESET_STATE: as new, but for the settings. */
const RESET_STATE = 4028;
/** Codecs that wait for their next stream, for each rate and channel count. */
const MAX_IDLE_CODECS = 32;

/**
 * Frees its memory only when it is collected, which the collector, not knowing how much it is, is in no hurry
 * to do: so a codec that was closed is used again.
 */
class NativeLibraryCodec implements LibraryCodec {
  private encoded = false;
  private decoded = false;

  constructor(
    private readonly codec: NativeCodec,
    private readonly idle: NativeLibraryCodec[],
  ) {}

  encode(pcm: Buffer): Buffer {
    this.encoded = true;
    return this.codec.encode(pcm);
  }

  decode(packet: Buffer): Buffer {
    this.decoded = true;
    return this.codec.decode(packet);
  }

  encoderControl(request: EncoderRequest, value: number): void {
    this.encoded = true;
    this.codec.applyEncoderCTL(ENCODER_CTL[request], value);
  }

  decoderControl(request: DecoderRequest, value: number): void {
    this.decoded = true;
    this.codec.applyDecoderCTL(DECODER_CTL[request], value);
  }

  close(): void {
    if (this.idle.length >= MAX_IDLE_CODECS) return;
    if (this.encoded) this.codec.applyEncoderCTL(RESET_STATE, 0);
    if (this.decoded) {
      this.codec.applyDecoderCTL(RESET_STATE, 0);
      this.codec.applyDecoderCTL(DECODER_CTL.gain, 0);
    }
    this.idle.push(this);
  }
}

function isNativeModule(loaded: unknown): loaded is NativeModule {
  return (
    typeof loaded === 'object' &&
    loaded !== null &&
    'OpusEncoder' in loaded &&
    typeof loaded.OpusEncoder === 'function'
  );
}
