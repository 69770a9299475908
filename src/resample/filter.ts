/** The filter between two rates, ready to run: exact where a table of all places is small, interpolated elsewhere. */
import { OUTPUT_LENGTH } from '../kernels/memory';
import type { Kernel, StridePlan } from '../kernels/index';
import { designTable, specOf, type FilterTable, type Ratio } from './design';
import type { Quality } from './presets';

/** Filters are the same for all streams, and never written to. */
export interface Filter {
  readonly ratio: Ratio;
  readonly table: FilterTable;
  /**
   * Writes `count` outputs into `kernel.output`. The first one's row begins at `kernel.input[0]`, and it lies
   * `phase` / `ratio.up` after the sample that is `table.half` before the row's end.
   */
  run(kernel: Kernel, phase: number, count: number): void;
}

/** Above 1 MB of taps (rates with hardly a common divisor) rows are interpolated instead. */
const MAX_TAPS = 2 ** 18;
/** Rows for one sample of the lower rate. Cubic interpolation between 128 errs by less than −150 dB. */
const ROWS_PER_SAMPLE = 128;
/** Rows that the cubic needs beside the two between which it interpolates. */
const OUTER_ROWS = 3;

/** Filters that are kept ready: as many pairs of rates as a busy flow may use. */
const CACHE_SIZE = 32;
const cache = new Map<string, Filter>();

/** The filter for `ratio`; made at its first use, and kept while it is among the 32 used last. */
export function filterFor(ratio: Ratio, quality: Quality): Filter {
  const key = `${ratio.up}/${ratio.down} ${quality}`;
  const filter = cache.get(key) ?? createFilter(ratio, quality);
  cache.delete(key);
  cache.set(key, filter);
  const [oldest] = cache.keys();
  if (cache.size > CACHE_SIZE && oldest !== undefined) cache.delete(oldest);
  return filter;
}

function createFilter(ratio: Ratio, quality: Quality): Filter {
  const spec = specOf(ratio, quality);
  if (ratio.up * spec.rowLength <= MAX_TAPS) return exactFilter(ratio, designTable(spec, ratio.up, ratio.up));
  const steps = Math.ceil(ROWS_PER_SAMPLE * Math.min(1, ratio.up / ratio.down));
  return interpolatedFilter(ratio, designTable(spec, steps + OUTER_ROWS, steps, -1), steps);
}

function exactFilter(ratio: Ratio, table: FilterTable): Filter {
  const walk: StridePlan = {
    rows: ratio.up,
    rowLength: table.rowLength,
    rowStep: ratio.down % ratio.up,
    inputStep: Math.floor(ratio.down / ratio.up),
    wrapStep: 1,
  };
  return {
    ratio,
    table,
    run(kernel, phase, count) {
      kernel.products(table.taps, walk, phase, 0, count);
    },
  };
}

/** Outputs of one run; a kernel's own output holds the four products of one output meanwhile. */
const outputs = new Float32Array(OUTPUT_LENGTH);

/** Works out the output at each of the four nearest rows, and interpolates between them (Lagrange's cubic). */
function interpolatedFilter(ratio: Ratio, table: FilterTable, steps: number): Filter {
  const { taps, rowLength } = table;
  return {
    ratio,
    table,
    run(kernel, phase, count) {
      const { output } = kernel;
      let from = 0;
      for (let n = 0; n < count; n++) {
        const place = (phase * steps) / ratio.up;
        const row = Math.floor(place);
        kernel.matvec(taps, 4, rowLength, from, row);
        const x = place - row;
        const before = (-x * (x - 1) * (x - 2)) / 6;
        const left = ((x + 1) * (x - 1) * (x - 2)) / 2;
        const right = (-(x + 1) * x * (x - 2)) / 2;
        const second = ((x + 1) * x * (x - 1)) / 6;
        outputs[n] =
          before * (output[0] ?? 0) +
          left * (output[1] ?? 0) +
          right * (output[2] ?? 0) +
          second * (output[3] ?? 0);
        phase += ratio.down;
        from += Math.floor(phase / ratio.up);
        phase %= ratio.up;
      }
      output.set(outputs.subarray(0, count));
    },
  };
}
