/**
 * libopus compiled to WebAssembly, by way of `opusscript`.
 *
 * Its public class keeps views of the module's memory that die when that memory grows, which happens at the 110th
 * instance, and gives the codec addresses outside of what it reserved. So its compiled module is used directly:
 * one scratch area for all codecs, a fresh view at every call, and a larger stack.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Channels } from '../audio/format';
import { errorText, OrgoError } from '../audio/errors';
import { webAssembly } from '../kernels/web-assembly';
import { DECODER_CTL, ENCODER_CTL } from './library';
import type { DecoderRequest, EncoderRequest, LibraryCodec, OpusLibrary, OpusRate } from './library';
import { MAX_PACKET_BYTES, MAX_PACKET_SAMPLES } from './packet';
import { compileWithStack, STACK_BYTES, type Imports, type StackModule } from './wasm-stack';

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
  readonly stack: StackModule;
  readonly pcm: number;
  readonly packet: number;
  liveCodecs: number;
}

/**
 * The only release whose internals are known here, with the SHA-256 of the files that are used of it: another one
 * might be compiled with another stack pointer, or other exports, and corrupt what it encodes without a word.
 */
const VERSION = '0.1.1';
const LOADER = {
  name: 'opusscript_native_wasm.js',
  sha256: '176802f6e4a7616d3049c5361e2d448f6b2cadd6d9946f1d434e5ab5789d2fe3',
};
const CODE = {
  name: 'opusscript_native_wasm.wasm',
  sha256: 'e24b269dbfde9f357de19f5b4f6458010be356d7122b0bb8bfe439504a6d5c33',
};

const requireHere = createRequire(__filename);
const load: (name: string) => unknown = requireHere;

/**
 * Compiles the module, which takes about 10 ms.
 * @param directory of its two files; left out: where opusscript is installed
 * @throws OrgoError `ORGO_OPUS_FAILED` where the package is missing or not the one known here
 */
export function loadWasmLibrary(directory?: string): OpusLibrary {
  const heap = openHeap(directory);
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

function openHeap(directory?: string): Heap {
  try {
    return openModule(directory ?? dirname(requireHere.resolve(`opusscript/build/${LOADER.name}`)));
  } catch (cause) {
    if (cause instanceof OrgoError) throw cause;
    throw new OrgoError(
      'ORGO_OPUS_FAILED',
      `opusscript does not load: ${errorText(cause)}. Install it again: npm install opusscript@${VERSION}`,
      { cause },
    );
  }
}

/** @throws OrgoError `ORGO_OPUS_FAILED` where it is another release, and whatever reading and compiling throw */
function openModule(directory: string): Heap {
  const api = webAssembly();
  if (!api) throw new Error('this process runs without WebAssembly (--jitless)');
  readKnown(directory, LOADER);
  const stack = compileWithStack(api, readKnown(directory, CODE));
  const factory = load(join(directory, LOADER.name)) as (options: object) => unknown;
  const instantiateWasm = (imports: Imports, receive: (instance: object) => unknown): unknown =>
    receive(stack.instantiate(imports));
  const module = factory({ instantiateWasm });
  if (!isWasmModule(module)) throw new Error('its module is not complete');
  stack.moveStack(module._malloc(STACK_BYTES));
  return {
    module,
    stack,
    pcm: module._malloc(SCRATCH_BYTES),
    packet: module._malloc(MAX_PACKET_BYTES),
    liveCodecs: 0,
  };
}

/** The content of a file of opusscript, once it is known to be the right one. */
function readKnown(directory: string, { name, sha256 }: { name: string; sha256: string }): Buffer {
  const content = readFileSync(join(directory, name));
  const found = createHash('sha256').update(content).digest('hex');
  if (found === sha256) return content;
  throw new OrgoError(
    'ORGO_OPUS_FAILED',
    `The opusscript that is installed is not version ${VERSION}, the only one that works here: ${name} has the SHA-256 ${found}. Run npm install opusscript@${VERSION}`,
  );
}

class WasmLibraryCodec implements LibraryCodec {
  private readonly handler: Handler;

  constructor(
    private readonly heap: Heap,
    sampleRate: OpusRate,
    private readonly channels: Channels,
  ) {
    const { OpusScriptHandler } = heap.module;
    this.handler = heap.stack.guard(() => new OpusScriptHandler(sampleRate, channels, APPLICATION_AUDIO));
    heap.liveCodecs++;
  }

  encode(pcm: Buffer, frameSamples: number): Buffer {
    const { module, stack, pcm: pcmAddress, packet } = this.heap;
    module.HEAPU16.set(pcm, pcmAddress / CELL_BYTES);
    const length = checked(
      stack.guard(() => this.handler._encode(pcmAddress, pcm.length, packet, frameSamples)),
    );
    return Buffer.from(module.HEAPU8.subarray(packet, packet + length));
  }

  decode(packet: Buffer): Buffer {
    const { module, stack, pcm, packet: packetAddress } = this.heap;
    module.HEAPU8.set(packet, packetAddress);
    const samples = checked(stack.guard(() => this.handler._decode(packetAddress, packet.length, pcm)));
    const first = pcm / CELL_BYTES;
    return Buffer.from(module.HEAPU16.subarray(first, first + samples * this.channels * 2));
  }

  encoderControl(request: EncoderRequest, value: number): void {
    checked(this.heap.stack.guard(() => this.handler._encoder_ctl(ENCODER_CTL[request], value)));
  }

  decoderControl(request: DecoderRequest, value: number): void {
    checked(this.heap.stack.guard(() => this.handler._decoder_ctl(DECODER_CTL[request], value)));
  }

  close(): void {
    const { module, stack } = this.heap;
    this.heap.liveCodecs--;
    stack.guard(() => module.OpusScriptHandler.destroy_handler(this.handler));
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
