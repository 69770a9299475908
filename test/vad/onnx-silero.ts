/** The oracle of the detector: the same model, as its makers published it, run by onnxruntime-web. */
import { join } from 'node:path';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';

const MODEL = join(__dirname, '../../node_modules/@ricky0123/vad-web/dist/silero_vad_v6.onnx');
const WINDOW = 512;
const CONTEXT = 64;
const STATE_SHAPE = [2, 1, 128];

export class OnnxSilero {
  private state = new Tensor('float32', new Float32Array(256), STATE_SHAPE);
  private readonly input = new Float32Array(CONTEXT + WINDOW);
  private readonly sampleRate = new Tensor('int64', BigInt64Array.of(16000n), []);

  private constructor(private readonly session: InferenceSession) {}

  static async load(): Promise<OnnxSilero> {
    env.wasm.numThreads = 1;
    return new OnnxSilero(await InferenceSession.create(MODEL));
  }

  async process(window: Float32Array): Promise<number> {
    this.input.copyWithin(0, WINDOW);
    this.input.set(window, CONTEXT);
    const outputs = await this.session.run({
      input: new Tensor('float32', this.input, [1, CONTEXT + WINDOW]),
      sr: this.sampleRate,
      state: this.state,
    });
    this.state = outputs['stateN'] as typeof this.state;
    return Number(outputs['output']?.data[0]);
  }

  reset(): void {
    this.state = new Tensor('float32', new Float32Array(256), STATE_SHAPE);
    this.input.fill(0);
  }
}
