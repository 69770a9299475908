/** The two kinds of layer that the network is made of. */

/** `output = matrix · input + bias`; the matrix row by row. */
export interface DenseWeights {
  readonly matrix: Float32Array;
  readonly bias: Float32Array;
}

/** A layer that takes its input whole. */
export class DenseLayer {
  private readonly columns: number;

  constructor(private readonly weights: DenseWeights) {
    this.columns = weights.matrix.length / weights.bias.length;
  }

  /** Reads `input` from `from` on, writes one value a row into `output` from `to` on. */
  run(input: Float32Array, from: number, output: Float32Array, to: number): void {
    const { matrix, bias } = this.weights;
    for (let row = 0, at = 0; row < bias.length; row++) {
      let sum = bias[row] ?? 0;
      for (let column = 0; column < this.columns; column++, at++) {
        sum += (matrix[at] ?? 0) * (input[from + column] ?? 0);
      }
      output[to + row] = sum;
    }
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
  private readonly layer: DenseLayer;

  constructor(
    private readonly shape: ConvolutionShape,
    weights: DenseWeights,
  ) {
    const { inputs, taps, stride, steps } = shape;
    this.layer = new DenseLayer(weights);
    this.input = new Float32Array(((steps - 1) * stride + taps + stride - 1) * inputs);
    this.start = ((taps - 1) / 2) * inputs;
  }

  /** Writes `[step][output]` into `output` from `to` on. */
  run(output: Float32Array, to: number): void {
    const { inputs, outputs, stride, steps } = this.shape;
    for (let step = 0; step < steps; step++) {
      this.layer.run(this.input, step * stride * inputs, output, to + step * outputs);
    }
    const end = to + steps * outputs;
    for (let i = to; i < end; i++) if ((output[i] ?? 0) < 0) output[i] = 0;
  }
}
