/**
 * The detector beside onnxruntime-web on the same model, in one run: how far their probabilities are apart, and
 * what a window costs.
 */
import { Silero, SILERO_SAMPLE_RATE, SILERO_WINDOW } from '../src/vad/silero';
import { OnnxSilero } from '../test/vad/onnx-silero';
import { whiteNoise } from '../test/vad/recordings';
import { decode, joined, longestFiles, requirePackages, soundFiles } from './lib/debian-sounds';

const WINDOWS = 8000;
/** Windows that one of the two runs before it is the other's turn: both see the same load of the machine. */
const TURN = 200;
const NOISE_PEAK = 0.1;

const LANGUAGES = ['en', 'es', 'fr', 'it', 'ru'] as const;
const PROMPTS = LANGUAGES.map((language) => `asterisk-core-sounds-${language}-g722` as const);

interface Result {
  readonly windows: number;
  /** Largest difference of the two probabilities. */
  readonly apart: number;
  /** µs of CPU a window. */
  readonly ours: number;
  readonly onnx: number;
}

async function main(): Promise<void> {
  requirePackages(['pocketsphinx-testdata', ...PROMPTS]);
  const speech = cleanSpeech();
  const noise = whiteNoise(speech.length, NOISE_PEAK);
  const onnx = await OnnxSilero.load();
  await compare(onnx, speech.subarray(0, TURN * SILERO_WINDOW));
  const rows = {
    'clean speech': await compare(onnx, speech),
    'with white noise': await compare(
      onnx,
      speech.map((sample, i) => sample + (noise[i] ?? 0)),
    ),
  };
  console.log(`Silero VAD v6 on Node ${process.version}, windows of 32 ms`);
  console.table(
    Object.fromEntries(
      Object.entries(rows).map(([name, { windows, apart, ours, onnx: theirs }]) => [
        name,
        {
          windows,
          'largest difference': apart.toExponential(1),
          'ours, µs': Math.round(ours),
          'onnxruntime-web, µs': Math.round(theirs),
          ratio: (ours / theirs).toFixed(2),
        },
      ]),
    ),
  );
}

/** {@link WINDOWS} windows of it: readers, commands, and telephone prompts in five languages. */
function cleanSpeech(): Float32Array {
  const files = [
    ...soundFiles('pocketsphinx-testdata', /(cards|librivox)\/.*\.wav$|^(goforward|something|numbers)\.raw$/),
    ...PROMPTS.flatMap((name) => longestFiles(soundFiles(name, /\.g722$/), 12)),
  ];
  const all = joined(files.map((file) => decode(file, SILERO_SAMPLE_RATE)));
  if (all.length < WINDOWS * SILERO_WINDOW)
    throw new Error(`only ${all.length} samples of speech were found`);
  return all.subarray(0, WINDOWS * SILERO_WINDOW);
}

async function compare(onnx: OnnxSilero, samples: Float32Array): Promise<Result> {
  const silero = new Silero();
  onnx.reset();
  const windows = Math.floor(samples.length / SILERO_WINDOW);
  const window = (i: number): Float32Array => samples.subarray(i * SILERO_WINDOW, (i + 1) * SILERO_WINDOW);
  const result = { windows, apart: 0, ours: 0, onnx: 0 };
  for (let from = 0; from < windows; from += TURN) {
    const to = Math.min(from + TURN, windows);
    const ours: number[] = [];
    let before = process.cpuUsage();
    for (let i = from; i < to; i++) ours.push(silero.process(window(i)));
    result.ours += microseconds(before);
    const theirs: number[] = [];
    before = process.cpuUsage();
    for (let i = from; i < to; i++) theirs.push(await onnx.process(window(i)));
    result.onnx += microseconds(before);
    for (let i = 0; i < ours.length; i++) {
      result.apart = Math.max(result.apart, Math.abs((ours[i] ?? 0) - (theirs[i] ?? 0)));
    }
  }
  return { ...result, ours: result.ours / windows, onnx: result.onnx / windows };
}

function microseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

void main();
