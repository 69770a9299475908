/** The two kinds of layer that the network is made of, over the shared kernel. */
import { kernel, ROW_MULTIPLE, type StridePlan } from '../kernels/index';

/** The weights of a layer: `output = matrix · input + bias`; the matrix row by row. */
export interface LayerWeights {
  readonly matrix: Float32Array;
  readonly bias: Float32Array;
}

/** A layer that takes its input whole. */
export class DenseLayer {
  private readonly columns: number;

  /** @param weights with a multiple of 8 columns */
  constructor(private readonly weights: LayerWeights) {
    this.columns = weights.matrix.length / weights.bias.length;
  }

  run(input: Float32Array, output: Float32Array): void {
    const { matrix, bias } = this.weights;
    kernel.input.set(input);
    kernel.matvec(matrix, bias.length, this.columns, 0);
    for (let row = 0; row < bias.length; row++) output[row] = (kernel.output[row] ?? 0) + (bias[row] ?? 0);
  }
}

/** What a convolution over time is, besides its weights. */
export interface ConvolutionShape {
  readonly outputs: number;
  readonly inputs: number;
  /** Neighbouring time steps that one output sees; odd. */
  readonly taps: number;
  /** Time steps from one output to the next. */
  readonly stride: number;
  /** Time steps that come out. */
  readonly steps: number;
}

/** A convolution over time with a margin of zeros on both sides, and ReLU. A row of its weights is `[tap][input]`. */
export class Convolution {
  /** The input, `[step][channel]`, with its margins. */
  readonly input: Float32Array;
  /** Where the first step stands in {@link input}. */
  readonly start: number;
  private readonly table: Float32Array;
  private readonly bias: Float32Array;
  private readonly walk: StridePlan;

  constructor(
    private readonly shape: ConvolutionShape,
    { matrix, bias }: LayerWeights,
  ) {
    const { outputs, inputs, taps, stride, steps } = shape;
    const columns = taps * inputs;
    const rowLength = Math.ceil(columns / ROW_MULTIPLE) * ROW_MULTIPLE;
    this.table = new Float32Array(outputs * rowLength);
    for (let row = 0; row < outputs; row++) {
      this.table.set(matrix.subarray(row * columns, (row + 1) * columns), row * rowLength);
    }
    this.bias = bias;
    this.walk = { rows: outputs, rowLength, rowStep: 1, inputStep: 0, wrapStep: stride * inputs };
    // As far as the last row reads, with what fills it up: 0 · NaN of someone else's input would be NaN.
    this.input = new Float32Array((steps - 1) * stride * inputs + rowLength);
    this.start = ((taps - 1) / 2) * inputs;
  }

  /** Writes `[step][output]` into `output` from `to` on. */
  run(output: Float32Array, to: number): void {
    const { outputs, steps } = this.shape;
    kernel.input.set(this.input);
    kernel.products(this.table, this.walk, 0, 0, steps * outputs);
    for (let step = 0, at = 0; step < steps; step++) {
      for (let row = 0; row < outputs; row++, at++) {
        output[to + at] = Math.max(0, (kernel.output[at] ?? 0) + (this.bias[row] ?? 0));
      }
    }
  }
}
