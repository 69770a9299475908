/** Reads the weights of Silero VAD v6 as scripts/extract-silero.mjs laid them out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConvolutionShape, LayerWeights } from './layers';

/** All layers after the STFT, at 16 kHz. */
export interface SileroWeights {
  readonly encoder: readonly (LayerWeights & { readonly shape: ConvolutionShape })[];
  /** A row takes the encoder's 128 outputs, then the 128 hidden values; rows: input, forget, cell, output gate. */
  readonly lstm: LayerWeights;
  readonly output: LayerWeights;
}

const FILE = join(__dirname, 'silero-v6.bin');
const ENCODER: readonly ConvolutionShape[] = [
  { outputs: 128, inputs: 129, taps: 3, stride: 1, steps: 4 },
  { outputs: 64, inputs: 128, taps: 3, stride: 2, steps: 2 },
  { outputs: 64, inputs: 64, taps: 3, stride: 2, steps: 1 },
  { outputs: 128, inputs: 64, taps: 3, stride: 1, steps: 1 },
];
/** Values in the state of the LSTM cell, and outputs of the encoder. */
export const SILERO_STATE_SIZE = 128;

/** @throws Error of `fs` when the file is not there */
export function readSileroWeights(): SileroWeights {
  const bytes = readFileSync(FILE);
  let at = 0;
  const take = (count: number): Float32Array => {
    const values = Float32Array.from({ length: count }, (_, i) => bytes.readFloatLE(at + 4 * i));
    at += 4 * count;
    return values;
  };
  const dense = (rows: number, columns: number): LayerWeights => ({
    matrix: take(rows * columns),
    bias: take(rows),
  });
  return {
    encoder: ENCODER.map((shape) => ({ shape, ...dense(shape.outputs, shape.taps * shape.inputs) })),
    lstm: dense(4 * SILERO_STATE_SIZE, 2 * SILERO_STATE_SIZE),
    output: dense(1, SILERO_STATE_SIZE),
  };
}
