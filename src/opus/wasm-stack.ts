/**
 * A WebAssembly module's stack, moved to where there is more room.
 *
 * opusscript 0.1 is built with 64 KB, and writes over its own memory beyond: frames of 40 and 60 ms at 48 kHz stereo
 * need more. Its module keeps the stack pointer to itself, so an export of it is added to the code before it is
 * compiled, and the pointer then set to the end of memory that the module's own allocator gave.
 */
import type { WebAssemblyApi } from '../kernels/web-assembly';

/** Measured: libopus 1.4 takes at most 93 KB, for 60 ms of stereo at 48 kHz. */
export const STACK_BYTES = 1 << 20;
/** The C calling convention of WebAssembly keeps the pointer at multiples of it, bytes. */
const STACK_ALIGNMENT = 16;

const EXPORT_NAME = 'orgoStackPointer';
/** The module's magic number and version, bytes. */
const HEADER_BYTES = 8;
const EXPORT_SECTION = 7;
const KIND_GLOBAL = 3;
/** LLVM's linker puts `__stack_pointer` before all other globals. */
const STACK_POINTER_INDEX = 0;

type Exports = Readonly<Record<string, unknown>>;
export type Imports = ConstructorParameters<WebAssemblyApi['Instance']>[1];

/** A module that can be instantiated once, and given another stack then. Nothing in it calls itself through us. */
export interface StackModule {
  /** For `instantiateWasm`: with it, Emscripten's loader leaves this to its caller. */
  instantiate(imports: Imports): { readonly exports: Exports };
  /**
   * Moves the stack; nothing of the module may be running.
   * @param memory address of {@link STACK_BYTES} that nobody else uses
   */
  moveStack(memory: number): void;
  /**
   * Calls into the module. A trap leaves its functions without letting them put the stack pointer back; so that is
   * done here, or each trap would take some of the stack away for good.
   * @throws what `call` throws
   */
  guard<T>(call: () => T): T;
}

/** @throws where `code` is no module, or has no such stack pointer */
export function compileWithStack(api: WebAssemblyApi, code: Buffer): StackModule {
  const module = new api.Module(withStackPointer(code));
  let stackPointer: unknown;
  let top = 0;
  return {
    instantiate(imports) {
      const instance = new api.Instance(module, imports);
      stackPointer = instance.exports[EXPORT_NAME];
      return instance;
    },
    moveStack(memory) {
      if (!isPointer(stackPointer)) throw new RangeError('the module has no stack pointer');
      const end = memory + STACK_BYTES;
      top = end - (end % STACK_ALIGNMENT);
      stackPointer.value = top;
    },
    guard(call) {
      try {
        return call();
      } catch (trap) {
        if (isPointer(stackPointer)) stackPointer.value = top;
        throw trap;
      }
    },
  };
}

function isPointer(global: unknown): global is { value: number } {
  return (
    typeof global === 'object' && global !== null && 'value' in global && typeof global.value === 'number'
  );
}

/** `code` with one export more (WebAssembly core specification, §5.5.10). */
function withStackPointer(code: Buffer): Buffer {
  const name = Buffer.from(EXPORT_NAME);
  const entry = Buffer.concat([Buffer.of(name.length), name, Buffer.of(KIND_GLOBAL, STACK_POINTER_INDEX)]);
  for (let at = HEADER_BYTES; at < code.length;) {
    const size = readUint(code, at + 1);
    const end = size.end + size.value;
    if (code[at] === EXPORT_SECTION) {
      const count = readUint(code, size.end);
      const content = Buffer.concat([writeUint(count.value + 1), code.subarray(count.end, end), entry]);
      return Buffer.concat([
        code.subarray(0, at + 1),
        writeUint(content.length),
        content,
        code.subarray(end),
      ]);
    }
    at = end;
  }
  throw new RangeError('the module exports nothing');
}

/** An unsigned number of up to 32 bits, seven bits a byte, the lowest first (§5.2.2). */
function readUint(code: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  let end = start;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = code[end++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return { value: value >>> 0, end };
}

function writeUint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 0x80) return Buffer.of(...bytes, left);
    bytes.push((left & 0x7f) | 0x80);
  }
}
