/**
 * libopus compiled to WebAssembly, by way of `opusscript`.
 *
 * Its public class keeps views of the module's memory that die when that memory grows, which happens at the 56th
 * instance, and gives the codec addresses outside of what it reserved. So its compiled module is used directly:
 * one scratch area for all codecs, and a fresh view at every call.
 */
import { createRequire } from 'node:module';
import type { Channels } from '../audio/format';
import { OrgoError } from '../audio/errors';
import { DECODER_CTL, ENCODER_CTL } from './library';
import type { DecoderRequest, EncoderRequest, LibraryCodec, OpusLibrary, OpusRate } from './library';
import { MAX_PACKET_BYTES, MAX_PACKET_SAMPLES } from './packet';

/** opusscript's handler takes and gives one byte of PCM in each 16-bit cell, and reads twice as far as it writes. */
const CELL_BYTES = 2;
const MAX_PCM_BYTES = MAX_PACKET_SAMPLES * 2 * 2;
const SCRATCH_BYTES = MAX_PCM_BYTES * CELL_BYTES * 2;
/** A codec takes 120 KB of memory that can grow to 2 GB and never shrinks. */
const MAX_LIVE_CODECS = 4096;
/**
 * From 0.1 on the module has 64 KB of stack, and overwrites its own memory beyond. Measured: frames of 20 ms and all
 * decoding take at most 56 KB, 60 ms at 24 kHz stereo 60 KB, longer ones than 20 ms at 48 kHz stereo more than all.
 */
const ROOMY_VERSIONS = /^0\.0\./;
const MAX_STEREO_SAMPLES = 960;
/** OPUS_APPLICATION_AUDIO, until the settings say otherwise. */
const APPLICATION_AUDIO = 2049;

interface Handler {
  /** Returns the packet's length, or a negative error code. */
  _encode(pcm: number, pcmBytes: number, packet: number, frameSamples: number): number;
  /** Returns samples per channel, or a negative error code. */
  _decode(packet: number, packetBytes: number, pcm: number): number;
  _encoder_ctl(request: number, value: number): number;
  _decoder_ctl(request: number, value: number): number;
}

interface WasmModule {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU16: Uint16Array;
  readonly OpusScriptHandler: {
    new (sampleRate: number, channels: number, application: number): Handler;
    destroy_handler(handler: Handler): void;
  };
  _malloc(bytes: number): number;
}

/** One module for all codecs of the process, with the addresses of its scratch area. */
interface Heap {
  readonly module: WasmModule;
  readonly pcm: number;
  readonly packet: number;
  readonly hasSmallStack: boolean;
  liveCodecs: number;
}

const load: (name: string) => unknown = createRequire(__filename);

/**
 * Compiles the module, which takes about 10 ms.
 * @throws OrgoError `ORGO_OPUS_FAILED` where the package is missing or not the one known here
 */
export function loadWasmLibrary(): OpusLibrary {
  const heap = openHeap();
  return {
    name: 'opusscript',
    open(sampleRate, channels) {
      if (heap.liveCodecs >= MAX_LIVE_CODECS) {
        throw new OrgoError(
          'ORGO_OPUS_FAILED',
          `opusscript holds ${MAX_LIVE_CODECS} Opus streams at once, and all are in use: close some, or install @discordjs/opus, which has no such limit`,
        );
      }
      return new WasmLibraryCodec(heap, sampleRate, channels);
    },
  };
}

function openHeap(): Heap {
  let module: unknown;
  try {
    const factory = load('opusscript/build/opusscript_native_wasm.js');
    module = typeof factory === 'function' ? (factory as () => unknown)() : undefined;
  } catch (cause) {
    throw new OrgoError('ORGO_OPUS_FAILED', 'opusscript does not load: install the package again', { cause });
  }
  if (!isWasmModule(module)) {
    throw new OrgoError(
      'ORGO_OPUS_FAILED',
      'The opusscript that is installed is not known here: versions 0.0.8 and 0.1.1 are',
    );
  }
  return {
    module,
    pcm: module._malloc(SCRATCH_BYTES),
    packet: module._malloc(MAX_PACKET_BYTES),
    hasSmallStack: !ROOMY_VERSIONS.test(installedVersion()),
    liveCodecs: 0,
  };
}

/** Blank where it can't be told. */
function installedVersion(): string {
  const manifest = load('opusscript/package.json');
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return '';
  return String(manifest.version);
}

class WasmLibraryCodec implements LibraryCodec {
  private readonly handler: Handler;

  constructor(
    private readonly heap: Heap,
    private readonly sampleRate: OpusRate,
    private readonly channels: Channels,
  ) {
    this.handler = new heap.module.OpusScriptHandler(sampleRate, channels, APPLICATION_AUDIO);
    heap.liveCodecs++;
  }

  encode(pcm: Buffer, frameSamples: number): Buffer {
    const { module, pcm: pcmAddress, packet, hasSmallStack } = this.heap;
    if (
      hasSmallStack &&
      this.channels === 2 &&
      frameSamples > MAX_STEREO_SAMPLES &&
      this.sampleRate === 48000
    ) {
      throw new OrgoError(
        'ORGO_OPUS_FAILED',
        'This version of opusscript can not encode more than 20 ms of stereo at 48 kHz in a packet: choose a shorter one, or install @discordjs/opus or opusscript 0.0.8',
      );
    }
    module.HEAPU16.set(pcm, pcmAddress / CELL_BYTES);
    const length = checked(this.handler._encode(pcmAddress, pcm.length, packet, frameSamples));
    return Buffer.from(module.HEAPU8.subarray(packet, packet + length));
  }

  decode(packet: Buffer): Buffer {
    const { module, pcm, packet: packetAddress } = this.heap;
    module.HEAPU8.set(packet, packetAddress);
    const samples = checked(this.handler._decode(packetAddress, packet.length, pcm));
    const first = pcm / CELL_BYTES;
    return Buffer.from(module.HEAPU16.subarray(first, first + samples * this.channels * 2));
  }

  encoderControl(request: EncoderRequest, value: number): void {
    checked(this.handler._encoder_ctl(ENCODER_CTL[request], value));
  }

  decoderControl(request: DecoderRequest, value: number): void {
    checked(this.handler._decoder_ctl(DECODER_CTL[request], value));
  }

  close(): void {
    this.heap.module.OpusScriptHandler.destroy_handler(this.handler);
    this.heap.liveCodecs--;
  }
}

function checked(result: number): number {
  if (result < 0) throw new RangeError(`libopus answered with error ${result}`);
  return result;
}

function isWasmModule(module: unknown): module is WasmModule {
  return (
    typeof module === 'object' &&
    module !== null &&
    'HEAPU8' in module &&
    'HEAPU16' in module &&
    '_malloc' in module &&
    'OpusScriptHandler' in module &&
    typeof module._malloc === 'function' &&
    typeof module.OpusScriptHandler === 'function'
  );
}
