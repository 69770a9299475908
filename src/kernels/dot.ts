/** Many inner products in one call: what resampling and the speech network spend their time on. */
import { createPlainKernel } from './scalar';
import { createSimdKernel } from './simd';
import { webAssembly } from './web-assembly';

/** Which row meets which stretch of the input, from one product to the next. */
export interface Walk {
  /** Rows in the table. */
  readonly rows: number;
  /** Floats in a row: a multiple of {@link ROW_MULTIPLE}; fill up with zeros. */
  readonly rowLength: number;
  /** Rows from one product to the next; less than `rows`, and without a common divisor with it. */
  readonly rowStep: number;
  /** Floats that the input moves on from one product to the next. */
  readonly inputStep: number;
  /** Floats that it moves on besides, whenever the row runs past the last one and begins again. */
  readonly wrapStep: number;
}

/** Floats that one turn of the inner loop takes. */
export const ROW_MULTIPLE = 8;

/**
 * One for all streams of a process: a call is synchronous, so its scratch memory belongs to who runs. Nothing in
 * {@link input} and {@link output} outlasts the caller's turn.
 */
export interface Kernel {
  readonly name: 'simd' | 'plain';
  /** Write here what is to be multiplied. */
  readonly input: Float32Array;
  /** Read the products here. */
  readonly output: Float32Array;
  /**
   * Writes `count` products into `output`: the n-th is the sum over i of `table[row·rowLength + i] · input[at + i]`,
   * with `row` and `at` (first `from`) moved on n times as `walk` says. A product is the same to the bit whatever
   * others are worked out in the same call.
   * @param table never changed once it was used: a copy stays in the kernel's memory
   * @throws RangeError where the walk leaves `input` or `output`
   */
  products(table: Float32Array, walk: Walk, row: number, from: number, count: number): void;
  /**
   * Writes `matrix · input` into `output`; the matrix row by row.
   * @param columns a multiple of {@link ROW_MULTIPLE}
   * @param from where the vector begins in `input`
   * @param firstRow the first of the `rows` that are taken; 0
   */
  matvec(matrix: Float32Array, rows: number, columns: number, from: number, firstRow?: number): void;
}

/** WebAssembly where it has SIMD, else the plain loops. */
export const kernel: Kernel = createSimdKernel(webAssembly()) ?? createPlainKernel();
