/** The kernel as a WebAssembly module with SIMD, and the memory in which it works. */
import type { Kernel, StridePlan } from './contract';
import { DOT_WASM } from './dot.wasm';
import type { WasmMemory, WebAssemblyApi } from './web-assembly';
import { checkMatvec, checkProducts, INPUT_LENGTH, OUTPUT_LENGTH } from './memory';

/**
 * One memory for all: each one reserves gigabytes of addresses, so that a few hundred are all that a process may
 * have. Pages that are never written to cost nothing.
 */
const MEMORY_PAGES = 256; // of 64 KiB
const OUTPUT_AT = INPUT_LENGTH * 4;
const TABLES_AT = OUTPUT_AT + OUTPUT_LENGTH * 4;
/** Tables begin at a cache line. */
const ALIGNMENT = 64;

type Products = (
  table: number,
  rowBytes: number,
  rows: number,
  row: number,
  rowStep: number,
  input: number,
  inputStep: number,
  wrapStep: number,
  turn: number,
  output: number,
  count: number,
) => void;

/** A kernel with SIMD; undefined where this machine or this process has none. */
export function createSimdKernel(api: WebAssemblyApi | undefined): Kernel | undefined {
  const code = Buffer.from(DOT_WASM, 'base64');
  if (!api?.validate(code)) return undefined;
  const memory = reserveMemory(api);
  if (!memory) return undefined;
  const instance = new api.Instance(new api.Module(code), { env: { memory } });
  return kernelOf(instance.exports['products'] as Products, memory.buffer);
}

/** Undefined where the process may not have so many addresses (`ulimit -v`). */
function reserveMemory(api: WebAssemblyApi): WasmMemory | undefined {
  try {
    return new api.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function kernelOf(products: Products, buffer: ArrayBuffer): Kernel {
  const tables = new Tables(buffer);
  return {
    name: 'simd',
    input: new Float32Array(buffer, 0, INPUT_LENGTH),
    output: new Float32Array(buffer, OUTPUT_AT, OUTPUT_LENGTH),
    products(table: Float32Array, plan: StridePlan, row: number, from: number, count: number) {
      checkProducts(table, plan, row, from, count);
      const { rows, rowLength, rowStep, inputStep, wrapStep } = plan;
      const turn = (inputStep * rows + rowStep * wrapStep) * 4;
      const at = tables.place(table);
      const bytes = rowLength * 4;
      products(at, bytes, rows, row, rowStep, from * 4, inputStep * 4, wrapStep * 4, turn, OUTPUT_AT, count);
    },
    matvec(matrix: Float32Array, rows: number, columns: number, from: number, firstRow = 0) {
      checkMatvec(matrix, rows, columns, from, firstRow);
      // The vector is the table's only row, and the matrix is what is walked along: three rows share its loads.
      const bytes = columns * 4;
      const at = tables.place(matrix) + firstRow * bytes;
      products(from * 4, bytes, 1, 0, 0, at, bytes, 0, bytes, OUTPUT_AT, rows);
    },
  };
}

/**
 * Copies of the tables, one after the other. When they no longer fit, all are dropped, and each comes back when it is
 * used next. So nobody has to give a table back: its owner just forgets it.
 */
class Tables {
  private readonly places = new WeakMap<Float32Array, { readonly era: number; readonly at: number }>();
  private readonly memory: Float32Array;
  private era = 0;
  private end = TABLES_AT;

  constructor(private readonly buffer: ArrayBuffer) {
    this.memory = new Float32Array(buffer);
  }

  /** The address of `table`, which is copied in where it is not there. */
  place(table: Float32Array): number {
    const known = this.places.get(table);
    if (known?.era === this.era) return known.at;
    if (this.end + table.byteLength > this.buffer.byteLength) {
      this.era++;
      this.end = TABLES_AT;
    }
    const at = this.end;
    this.memory.set(table, at / 4);
    this.places.set(table, { era: this.era, at });
    this.end = Math.ceil((at + table.byteLength) / ALIGNMENT) * ALIGNMENT;
    return at;
  }
}
