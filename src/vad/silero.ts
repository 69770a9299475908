/** Silero VAD v6 run directly: how likely it is that a window of sound holds speech. */
import { Convolution, DenseLayer } from './layers';
import { readSileroWeights, SILERO_STATE_SIZE, type SileroWeights } from './silero-weights';
import { magnitudesOfTwoFrames, STFT_BINS, STFT_HOP } from './stft';

/** The rate that the network was trained at, Hz. */
export const SILERO_SAMPLE_RATE = 16000;
/** Samples that one step takes. */
export const SILERO_WINDOW = 512;

/** Samples of the window before that are looked at once more. */
const CONTEXT = 64;
/** Samples mirrored at the end, for the last frame of the STFT. */
const PADDING = 64;
const HEARD = CONTEXT + SILERO_WINDOW;
const STFT_FRAMES = 4;
const SIZE = SILERO_STATE_SIZE;

/**
 * The network with the memory of one stream. The steps are those of the ONNX graph's 16 kHz branch: STFT, four
 * convolutions over time with ReLU, an LSTM cell, one output with sigmoid.
 */
export class Silero {
  private readonly network = sharedNetwork();
  private readonly context = new Float32Array(CONTEXT);
  private readonly hidden = new Float32Array(SIZE);
  private readonly cell = new Float32Array(SIZE);

  /**
   * The probability, 0 to 1, that someone speaks in the next window.
   * @param window {@link SILERO_WINDOW} samples in ±1 at {@link SILERO_SAMPLE_RATE}, mono
   */
  process(window: Float32Array): number {
    if (window.length !== SILERO_WINDOW) {
      throw new RangeError(`Silero.process: the window has ${window.length} samples, not ${SILERO_WINDOW}`);
    }
    const probability = this.network.run(this.context, window, this.hidden, this.cell);
    this.context.set(window.subarray(SILERO_WINDOW - CONTEXT));
    return probability;
  }

  /** Forgets the stream: the next window is its first. */
  reset(): void {
    this.context.fill(0);
    this.hidden.fill(0);
    this.cell.fill(0);
  }
}

/** The layers and their scratch memory. One for all streams, since a step runs without a pause. */
class Network {
  private readonly samples = new Float32Array(HEARD + PADDING);
  private readonly encoder: readonly Convolution[];
  private readonly lstm: DenseLayer;
  private readonly output: DenseLayer;
  private readonly lstmInput = new Float32Array(2 * SIZE);
  private readonly gates = new Float32Array(4 * SIZE);
  private readonly active = new Float32Array(SIZE);
  private readonly logit = new Float32Array(1);

  constructor(weights: SileroWeights) {
    this.encoder = weights.encoder.map((layer) => new Convolution(layer.shape, layer));
    this.lstm = new DenseLayer(weights.lstm);
    this.output = new DenseLayer(weights.output);
  }

  /** Runs one step; writes the new state into `hidden` and `cell`. */
  run(context: Float32Array, window: Float32Array, hidden: Float32Array, cell: Float32Array): number {
    const { encoder, lstmInput, gates, active, logit } = this;
    this.listen(context, window);
    for (let i = 0; i < encoder.length; i++) {
      const next = encoder[i + 1];
      encoder[i]?.run(next?.input ?? lstmInput, next?.start ?? 0);
    }
    lstmInput.set(hidden, SIZE);
    this.lstm.run(lstmInput, gates);
    for (let i = 0; i < SIZE; i++) {
      const input = sigmoid(gates[i] ?? 0);
      const forget = sigmoid(gates[SIZE + i] ?? 0);
      const candidate = Math.tanh(gates[2 * SIZE + i] ?? 0);
      const kept = forget * (cell[i] ?? 0) + input * candidate;
      const shown = sigmoid(gates[3 * SIZE + i] ?? 0) * Math.tanh(kept);
      cell[i] = kept;
      hidden[i] = shown;
      active[i] = Math.max(0, shown);
    }
    this.output.run(active, logit);
    return sigmoid(logit[0] ?? 0);
  }

  /** Writes the magnitudes of the four frames into the first convolution's input. */
  private listen(context: Float32Array, window: Float32Array): void {
    const { samples } = this;
    const [first] = this.encoder;
    if (!first) return;
    samples.set(context);
    samples.set(window, CONTEXT);
    for (let i = 0; i < PADDING; i++) samples[HEARD + i] = samples[HEARD - 2 - i] ?? 0;
    for (let frame = 0; frame < STFT_FRAMES; frame += 2) {
      const at = first.start + frame * STFT_BINS;
      magnitudesOfTwoFrames(samples, frame * STFT_HOP, first.input, at, at + STFT_BINS);
    }
  }
}

let shared: Network | undefined;

/** The weights are read once, when the first stream needs them. */
function sharedNetwork(): Network {
  return (shared ??= new Network(readSileroWeights()));
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
