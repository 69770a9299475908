/** The kernels against a plain sum in double precision, and against each other. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { kernel, ROW_MULTIPLE, type Kernel, type StridePlan } from '../../src/kernels/index';
import { INPUT_LENGTH, OUTPUT_LENGTH } from '../../src/kernels/memory';
import { createScalarKernel } from '../../src/kernels/scalar';
import { createSimdKernel } from '../../src/kernels/simd';
import { webAssembly } from '../../src/kernels/web-assembly';

const simd = createSimdKernel(webAssembly());
assert(simd, 'the tests need a machine with WebAssembly SIMD');
const KERNELS: readonly Kernel[] = [simd, createScalarKernel()];

/** Numbers that look random, the same in every run. */
function noise(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

function reference(
  table: Float32Array,
  input: Float32Array,
  walk: StridePlan,
  row: number,
  from: number,
  n: number,
) {
  const turned = row + n * walk.rowStep;
  const at = from + n * walk.inputStep + Math.floor(turned / walk.rows) * walk.wrapStep;
  const start = (turned % walk.rows) * walk.rowLength;
  let sum = 0;
  for (let i = 0; i < walk.rowLength; i++) sum += table[start + i]! * input[at + i]!;
  return sum;
}

const walks = fc
  .record({
    rows: fc.constantFrom(1, 2, 3, 5, 147, 160),
    rowLength: fc.constantFrom(1, 2, 7, 20).map((n) => n * ROW_MULTIPLE),
    rowStep: fc.constantFrom(0, 1, 2, 7, 147),
    inputStep: fc.integer({ min: 0, max: 4 }),
    wrapStep: fc.integer({ min: 0, max: 5 }),
  })
  .map((walk): StridePlan => ({ ...walk, rowStep: walk.rowStep % walk.rows }))
  .filter((walk) => divisor(walk.rows, walk.rowStep) === 1);

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

for (const k of KERNELS) {
  describe(`the ${k.name} kernel`, () => {
    test('computes the products of any walk', () => {
      fc.assert(
        fc.property(walks, fc.nat(200), fc.nat(50), fc.nat(), (walk, count, from, anyRow) => {
          const row = anyRow % walk.rows;
          const table = noise(walk.rows * walk.rowLength, 1);
          k.input.set(noise(INPUT_LENGTH, 2));
          k.products(table, walk, row, from, count);
          for (let n = 0; n < count; n++) {
            const expected = reference(table, k.input, walk, row, from, n);
            assert(Math.abs(k.output[n]! - expected) < 1e-5 * walk.rowLength ** 0.5, `product ${n}`);
          }
        }),
        { numRuns: 60 },
      );
    });

    test('gives a product the same bits whichever others are computed with it', () => {
      const walk: StridePlan = { rows: 3, rowLength: 40, rowStep: 2, inputStep: 1, wrapStep: 1 };
      const table = noise(120, 3);
      k.input.set(noise(INPUT_LENGTH, 4));
      k.products(table, walk, 1, 0, 100);
      const together = k.output.slice(0, 100);
      for (let n = 0; n < 100; n++) {
        const turned = 1 + n * walk.rowStep;
        k.products(table, walk, turned % 3, n + Math.floor(turned / 3), 1);
        assert.equal(k.output[0], together[n]);
      }
    });

    test('multiplies a matrix by a vector, from any row on', () => {
      const [rows, columns, firstRow] = [37, 48, 5];
      const matrix = noise((firstRow + rows) * columns, 5);
      k.input.set(noise(100, 6));
      k.matvec(matrix, rows, columns, 10, firstRow);
      for (let row = 0; row < rows; row++) {
        let sum = 0;
        for (let i = 0; i < columns; i++) sum += matrix[(firstRow + row) * columns + i]! * k.input[10 + i]!;
        assert(Math.abs(k.output[row]! - sum) < 1e-5);
      }
    });

    test('refuses to leave its memory', () => {
      const table = noise(16, 7);
      const walk: StridePlan = { rows: 2, rowLength: 8, rowStep: 1, inputStep: 0, wrapStep: 1 };
      const outside: (() => void)[] = [
        () => k.products(table, walk, 0, 0, OUTPUT_LENGTH + 1),
        () => k.products(table, walk, 0, INPUT_LENGTH - 7, 1),
        () => k.products(table, walk, 0, INPUT_LENGTH - 8, 3),
        () => k.products(table, walk, 0, -1, 1),
        () => k.products(table, { ...walk, rows: 3 }, 0, 0, 1),
        () => k.matvec(table, 3, 8, 0),
        () => k.matvec(table, 2, 8, 0, 1),
        () => k.matvec(table, 2, 8, INPUT_LENGTH - 7),
      ];
      for (const call of outside) assert.throws(call, RangeError);
      k.products(table, walk, 0, INPUT_LENGTH - 8, 2);
    });

    test('works with more tables than it has memory for', () => {
      const walk: StridePlan = { rows: 1, rowLength: 8, rowStep: 0, inputStep: 1, wrapStep: 0 };
      const size = 2 ** 20;
      const tables = Array.from({ length: 6 }, (_, i) => new Float32Array(size).fill(i + 1));
      k.input.fill(1);
      for (let turn = 0; turn < 3; turn++) {
        for (const [i, table] of tables.entries()) {
          k.products(table, walk, 0, 0, 1);
          assert.equal(k.output[0], 8 * (i + 1));
        }
      }
    });
  });
}

describe('the choice of a kernel', () => {
  test('is SIMD where it is there', () => {
    assert.equal(kernel.name, 'simd');
  });

  test('is the scalar loops where there is no WebAssembly, no SIMD, or no address space', () => {
    const api = webAssembly();
    assert(api);
    class NoMemory {
      readonly buffer = new ArrayBuffer(0);
      constructor() {
        throw new RangeError('WebAssembly.Memory(): could not allocate memory');
      }
    }
    assert.equal(createSimdKernel(undefined), undefined);
    assert.equal(createSimdKernel({ ...api, validate: () => false }), undefined);
    assert.equal(
      createSimdKernel({ ...api, validate: (code) => api.validate(code), Memory: NoMemory }),
      undefined,
    );
  });
});
