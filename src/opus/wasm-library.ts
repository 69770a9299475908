/**
 * libopus compiled to WebAssembly, by way of `opusscript`.
 *
 * Its public class keeps views of the module's memory that die when that memory grows, which happens at the 110th
 * instance, and gives the codec addresses outside of what it reserved. So its compiled module is used directly:
 * one scratch area for all codecs, a fresh view at every call, and a larger stack.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Channels } from '../audio/format';
import { OrgoError } from '../audio/errors';
import { webAssembly } from '../kernels/web-assembly';
import { DECODER_CTL, ENCODER_CTL } from './library';
import type { DecoderRequest, EncoderRequest, LibraryCodec, OpusLibrary, OpusRate } from './library';
import { MAX_PACKET_BYTES, MAX_PACKET_SAMPLES } from './packet';
import { compileWithStack, STACK_BYTES, type Imports } from './wasm-stack';

/** opusscript's handler takes and gives one byte of PCM in each 16-bit cell, and reads twice as far as it writes. */
const CELL_BYTES = 2;
const MAX_PCM_BYTES = MAX_PACKET_SAMPLES * 2 * 2;
const SCRATCH_BYTES = MAX_PCM_BYTES * CELL_BYTES * 2;
/** A codec takes 120 KB of memory that can grow to 2 GB and never shrinks. */
const MAX_LIVE_CODECS = 4096;
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
  liveCodecs: number;
}

const BUILD = 'opusscript/build/opusscript_native_wasm';
const requireHere = createRequire(__filename);
const load: (name: string) => unknown = requireHere;

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
    module = openModule();
  } catch (cause) {
    throw new OrgoError('ORGO_OPUS_FAILED', 'opusscript does not load: install the package again', { cause });
  }
  if (!isWasmModule(module)) {
    throw new OrgoError(
      'ORGO_OPUS_FAILED',
      'The opusscript that is installed is not known here: version 0.1.1 is',
    );
  }
  return {
    module,
    pcm: module._malloc(SCRATCH_BYTES),
    packet: module._malloc(MAX_PACKET_BYTES),
    liveCodecs: 0,
  };
}

class WasmLibraryCodec implements LibraryCodec {
  private readonly handler: Handler;

  constructor(
    private readonly heap: Heap,
    sampleRate: OpusRate,
    private readonly channels: Channels,
  ) {
    this.handler = new heap.module.OpusScriptHandler(sampleRate, channels, APPLICATION_AUDIO);
    heap.liveCodecs++;
  }

  encode(pcm: Buffer, frameSamples: number): Buffer {
    const { module, pcm: pcmAddress, packet } = this.heap;
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

/** Undefined where there is no WebAssembly. */
function openModule(): unknown {
  const api = webAssembly();
  const factory = load(`${BUILD}.js`);
  if (!api || typeof factory !== 'function') return undefined;
  const compiled = compileWithStack(api, readFileSync(requireHere.resolve(`${BUILD}.wasm`)));
  const instantiateWasm = (imports: Imports, receive: (instance: object) => unknown): unknown =>
    receive(compiled.instantiate(imports));
  const module = (factory as (options: object) => unknown)({ instantiateWasm });
  if (isWasmModule(module)) compiled.moveStack(module._malloc(STACK_BYTES));
  return module;
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
