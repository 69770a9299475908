/** What a kernel does: many inner products in one call, what resampling and the speech network spend their time on. */

/** Which row meets which stretch of the input, from one product to the next. */
export interface StridePlan {
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
 * All streams of a process share one kernel. A call is synchronous, so the scratch memory is the caller's until it
 * lets others run: after that, {@link input} and {@link output} may hold anything.
 */
export interface Kernel {
  readonly name: 'simd' | 'scalar';
  /** Write here what is to be multiplied. */
  readonly input: Float32Array;
  /** Read the products here. */
  readonly output: Float32Array;
  /**
   * Writes `count` products into `output`: the n-th is the sum over i of `table[row·rowLength + i] · input[at + i]`,
   * with `row` and `at` (first `from`) moved on n times as `plan` says. A product is the same to the bit whatever
   * others are worked out in the same call.
   * @param table never changed once it was used: a copy stays in the kernel's memory
   * @throws RangeError where the plan leaves `input` or `output`
   */
  products(table: Float32Array, plan: StridePlan, row: number, from: number, count: number): void;
  /**
   * Writes `matrix · input` into `output`; the matrix row by row.
   * @param columns a multiple of {@link ROW_MULTIPLE}
   * @param from where the vector begins in `input`
   * @param firstRow the first of the `rows` that are taken; 0
   */
  matvec(matrix: Float32Array, rows: number, columns: number, from: number, firstRow?: number): void;
}
