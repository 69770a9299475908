/** How much a kernel can take in one call, and the check that a call keeps to it. */
import type { StridePlan } from './contract';

/** Floats in a kernel's input: the longest filter, 192 to 8 kHz, and a block of samples. */
export const INPUT_LENGTH = 32768;
/** Floats in a kernel's output. */
export const OUTPUT_LENGTH = 8192;

/** @throws RangeError where the call reads or writes outside of the kernel's memory */
export function checkProducts(
  table: Float32Array,
  plan: StridePlan,
  row: number,
  from: number,
  count: number,
): void {
  const { rows, rowLength, rowStep, inputStep, wrapStep } = plan;
  const last = count - 1;
  const end = from + last * inputStep + Math.floor((row + last * rowStep) / rows) * wrapStep + rowLength;
  if (count > OUTPUT_LENGTH || end > INPUT_LENGTH || from < 0 || rows * rowLength > table.length) {
    throw new RangeError(
      `kernel: ${count} products of ${rowLength}, from ${from} to ${end}, leave the memory ` +
        `(at most ${OUTPUT_LENGTH} products, input up to ${INPUT_LENGTH}, table ${table.length})`,
    );
  }
}

/** @throws RangeError where the call reads or writes outside of the kernel's memory */
export function checkMatvec(
  matrix: Float32Array,
  rows: number,
  columns: number,
  from: number,
  firstRow: number,
): void {
  const tooMuch = rows > OUTPUT_LENGTH || from + columns > INPUT_LENGTH;
  if (tooMuch || from < 0 || (firstRow + rows) * columns > matrix.length) {
    throw new RangeError(
      `kernel: a matrix of ${matrix.length} with ${rows} rows of ${columns} after ${firstRow}, ` +
        `input from ${from}, leaves the memory`,
    );
  }
}
