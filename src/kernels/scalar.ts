/** The kernel where WebAssembly has no SIMD: loops in JavaScript, in double precision. */
import type { Kernel, StridePlan } from './contract';
import { checkMatvec, checkProducts, INPUT_LENGTH, OUTPUT_LENGTH } from './memory';

/** A kernel without WebAssembly. Its sums are more exact than the SIMD kernel's, in the 7th digit. */
export function createScalarKernel(): Kernel {
  const input = new Float32Array(INPUT_LENGTH);
  const output = new Float32Array(OUTPUT_LENGTH);
  return {
    name: 'scalar',
    input,
    output,
    products(table: Float32Array, plan: StridePlan, row: number, from: number, count: number) {
      checkProducts(table, plan, row, from, count);
      const { rows, rowLength, rowStep, inputStep, wrapStep } = plan;
      for (let n = 0; n < count; n++) {
        output[n] = dot(table, row * rowLength, input, from, rowLength);
        from += inputStep;
        row += rowStep;
        if (row < rows) continue;
        row -= rows;
        from += wrapStep;
      }
    },
    matvec(matrix: Float32Array, rows: number, columns: number, from: number, firstRow = 0) {
      checkMatvec(matrix, rows, columns, from, firstRow);
      for (let row = 0; row < rows; row++) {
        output[row] = dot(matrix, (firstRow + row) * columns, input, from, columns);
      }
    },
  };
}

/** Four sums, so that one addition need not wait for the one before. */
function dot(a: Float32Array, atA: number, b: Float32Array, atB: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (const end = atA + length; atA < end; atA += 4, atB += 4) {
    s0 += (a[atA] ?? 0) * (b[atB] ?? 0);
    s1 += (a[atA + 1] ?? 0) * (b[atB + 1] ?? 0);
    s2 += (a[atA + 2] ?? 0) * (b[atB + 2] ?? 0);
    s3 += (a[atA + 3] ?? 0) * (b[atB + 3] ?? 0);
  }
  return s0 + s1 + (s2 + s3);
}
