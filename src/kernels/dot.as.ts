/** Inner products with 128-bit SIMD, in AssemblyScript; `npm run kernels` compiles it into dot.wasm.ts. */

/** Bytes of one turn of the loops: two vectors of four f32. */
const STRIDE: usize = 32;

/** The eight partial sums of one product, in an order that is always the same. */
function total(a: v128, b: v128): f32 {
  const sum = f32x4.add(a, b);
  return (
    f32x4.extract_lane(sum, 0) +
    f32x4.extract_lane(sum, 1) +
    (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))
  );
}

/**
 * As Kernel.products says, with addresses and steps in bytes. `turn`: how far the input moves until the same row
 * is met again. Outputs of one row are worked out three at a time: each load of the row then serves three
 * products, which measured fastest (one, two, four, six and eight were tried; more accumulators spill).
 */
export function products(
  table: usize,
  rowBytes: usize,
  rows: i32,
  row: i32,
  rowStep: i32,
  input: usize,
  inputStep: usize,
  wrapStep: usize,
  turn: usize,
  output: usize,
  count: i32,
): void {
  const firsts = min(rows, count);
  const outputTurn = (<usize>rows) << 2;
  for (let first = 0; first < firsts; first++) {
    const start = table + <usize>row * rowBytes;
    const end = start + rowBytes;
    let x = input;
    let out = output + ((<usize>first) << 2);
    let left = (count - first + rows - 1) / rows;
    for (; left >= 3; left -= 3) {
      let x0 = x;
      let x1 = x0 + turn;
      let x2 = x1 + turn;
      x = x2 + turn;
      let a0 = f32x4.splat(0);
      let b0 = f32x4.splat(0);
      let a1 = f32x4.splat(0);
      let b1 = f32x4.splat(0);
      let a2 = f32x4.splat(0);
      let b2 = f32x4.splat(0);
      for (let at = start; at < end; at += STRIDE) {
        const a = v128.load(at);
        const b = v128.load(at, 16);
        a0 = f32x4.add(a0, f32x4.mul(a, v128.load(x0)));
        a1 = f32x4.add(a1, f32x4.mul(a, v128.load(x1)));
        a2 = f32x4.add(a2, f32x4.mul(a, v128.load(x2)));
        b0 = f32x4.add(b0, f32x4.mul(b, v128.load(x0, 16)));
        b1 = f32x4.add(b1, f32x4.mul(b, v128.load(x1, 16)));
        b2 = f32x4.add(b2, f32x4.mul(b, v128.load(x2, 16)));
        x0 += STRIDE;
        x1 += STRIDE;
        x2 += STRIDE;
      }
      f32.store(out, total(a0, b0));
      out += outputTurn;
      f32.store(out, total(a1, b1));
      out += outputTurn;
      f32.store(out, total(a2, b2));
      out += outputTurn;
    }
    for (; left > 0; left--) {
      let at = x;
      x += turn;
      let a0 = f32x4.splat(0);
      let b0 = f32x4.splat(0);
      for (let tap = start; tap < end; tap += STRIDE) {
        a0 = f32x4.add(a0, f32x4.mul(v128.load(tap), v128.load(at)));
        b0 = f32x4.add(b0, f32x4.mul(v128.load(tap, 16), v128.load(at, 16)));
        at += STRIDE;
      }
      f32.store(out, total(a0, b0));
      out += outputTurn;
    }
    input += inputStep;
    row += rowStep;
    if (row >= rows) {
      row -= rows;
      input += wrapStep;
    }
  }
}
