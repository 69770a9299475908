/**
 * How well speech is told from noise: the detector at 48 kHz, as it sits in a flow, beside the model itself run by
 * onnxruntime-web on the same sound at 16 kHz.
 */
import { spawnSync } from 'node:child_process';
import type { PcmFormat } from '../src/audio/format';
import { SILERO_SAMPLE_RATE, SILERO_WINDOW } from '../src/vad/silero';
import { SpeechDetector } from '../src/vad/speech-detector';
import type { SpeechSettings } from '../src/vad/speech';
import { OnnxSilero } from '../test/vad/onnx-silero';
import { floatsOf } from '../test/vad/recordings';
import { requirePackages } from './lib/debian-sounds';
import {
  areaUnderCurve,
  mixed,
  noises,
  SET_PACKAGES,
  SET_SAMPLE_RATE,
  speechClips,
  toS16,
  type SpeechClip,
} from './lib/vad-set';

const SNRS_DB = [20, 10, 5, 0];
const MIXED_NOISES = ['music', 'desktop sounds', 'keyboard', 'white', 'pink'];
const FORMAT: PcmFormat = { encoding: 's16le', sampleRate: SET_SAMPLE_RATE, channels: 1 };
const SETTINGS: SpeechSettings = {
  threshold: 0.5,
  minSpeechMs: 200,
  hangoverMs: 500,
  preRollMs: 300,
  maxUtteranceMs: 30_000,
  gate: 'pass',
  probabilities: true,
};
const WINDOW_AT_INPUT = 0.032 * SET_SAMPLE_RATE;
/** Windows that must be without speech before an onset, and with speech behind it, for it to count as one. */
const ONSET_PAUSE = 10;
const ONSET_SPEECH = 7;

interface Heard {
  readonly probabilities: number[];
  /** From and to, in samples. */
  readonly utterances: [number, number][];
}

interface Cpu {
  ours: number;
  onnx: number;
  windows: number;
}

async function main(): Promise<void> {
  requirePackages(SET_PACKAGES);
  const onnx = await OnnxSilero.load();
  const cpu: Cpu = { ours: 0, onnx: 0, windows: 0 };
  const clips = speechClips();
  const allNoises = noises();
  const spoken = clips.reduce((sum, { truth }) => sum + truth.filter(Boolean).length, 0);
  const windows = clips.reduce((sum, { truth }) => sum + truth.length, 0);
  console.log(`${clips.length} clips of speech, ${windows} windows, ${spoken} of them with speech`);
  await detection(onnx, clips, allNoises, cpu);
  await falseAlarms(onnx, allNoises, cpu);
  console.log(
    `CPU a window: ours, resampling from 48 kHz included, ${(cpu.ours / cpu.windows).toFixed(0)} µs; ` +
      `onnxruntime-web alone ${(cpu.onnx / cpu.windows).toFixed(0)} µs; ratio ${(cpu.ours / cpu.onnx).toFixed(2)}`,
  );
}

async function detection(
  onnx: OnnxSilero,
  clips: readonly SpeechClip[],
  allNoises: Record<string, Float32Array>,
  cpu: Cpu,
): Promise<void> {
  const rows: Record<string, { ours: number; onnx: number; lost: number; onsets: number }> = {};
  for (const name of MIXED_NOISES) {
    for (const snrDb of SNRS_DB) {
      const row = { ours: 0, onnx: 0, lost: 0, onsets: 0 };
      for (const { samples, truth } of clips) {
        const sound = mixed(samples, allNoises[name] ?? samples, snrDb);
        const heard = hear(sound, cpu);
        row.ours += areaUnderCurve(heard.probabilities.slice(0, truth.length), truth) / clips.length;
        const theirs = await hearByOnnx(onnx, sound, cpu);
        row.onnx += areaUnderCurve(theirs.slice(0, truth.length), truth) / clips.length;
        const onsets = onsetsOf(truth).map((window) => window * WINDOW_AT_INPUT);
        row.onsets += onsets.length;
        row.lost += onsets.filter(
          (onset) => !heard.utterances.some(([from, to]) => from <= onset && onset < to),
        ).length;
      }
      rows[`${name} ${snrDb} dB`] = row;
    }
  }
  const mean = (key: 'ours' | 'onnx', pattern: RegExp): number => {
    const picked = Object.entries(rows).filter(([name]) => pattern.test(name));
    return picked.reduce((sum, [, row]) => sum + row[key], 0) / picked.length;
  };
  const shown = Object.entries(rows).map(([name, row]) => [
    name,
    {
      'AUC ours': row.ours.toFixed(4),
      'AUC onnxruntime-web': row.onnx.toFixed(4),
      'onsets lost': `${row.lost} of ${row.onsets}`,
    },
  ]);
  console.table(Object.fromEntries(shown));
  for (const [label, pattern] of [
    ['over all', /./],
    ['at 0 dB', / 0 dB/],
  ] as const) {
    const [ours, theirs] = [mean('ours', pattern), mean('onnx', pattern)];
    console.log(
      `mean AUC ${label}: ours ${ours.toFixed(4)}, onnxruntime-web ${theirs.toFixed(4)}, ${(ours - theirs).toFixed(4)}`,
    );
  }
}

async function falseAlarms(
  onnx: OnnxSilero,
  allNoises: Record<string, Float32Array>,
  cpu: Cpu,
): Promise<void> {
  const share = (probabilities: readonly number[]): string => {
    const alarms = probabilities.filter((probability) => probability >= SETTINGS.threshold).length;
    return ((100 * alarms) / probabilities.length).toFixed(2);
  };
  const rows: Record<string, Record<string, string | number>> = {};
  for (const [name, samples] of Object.entries(allNoises)) {
    const sound = toS16(samples);
    const heard = hear(sound, cpu);
    rows[name] = {
      'false alarms ours, %': share(heard.probabilities),
      'onnxruntime-web, %': share(await hearByOnnx(onnx, sound, cpu)),
      utterances: heard.utterances.length,
    };
  }
  console.table(rows);
}

/** Windows with which speech begins after a pause, and goes on. */
function onsetsOf(truth: readonly boolean[]): number[] {
  return truth.flatMap((_, i) => {
    const before = truth.slice(Math.max(0, i - ONSET_PAUSE), i);
    const after = truth.slice(i, i + ONSET_SPEECH);
    const isOnset = after.length === ONSET_SPEECH && after.every(Boolean) && !before.some(Boolean);
    return isOnset ? [i] : [];
  });
}

function hear(sound: Buffer, cpu: Cpu): Heard {
  const samples = sound.length / 2;
  const before = process.cpuUsage();
  const detector = new SpeechDetector(SETTINGS);
  const frame = { format: FORMAT, data: sound, samples, position: 0, time: 0, gap: 0, latencyMs: 0 };
  const out = [...detector.push(frame), ...detector.flush()];
  detector.close();
  cpu.ours += microseconds(before);
  const heard: Heard = { probabilities: [], utterances: [] };
  for (const one of out) {
    if (one.output === 'utterance')
      heard.utterances.push([one.frame.position, one.frame.position + one.frame.samples]);
    if (one.output === 'event' && one.event.event === 'probability')
      heard.probabilities.push(one.event.probability);
  }
  return heard;
}

async function hearByOnnx(onnx: OnnxSilero, sound: Buffer, cpu: Cpu): Promise<number[]> {
  const samples = floatsOf(atSixteenKhz(sound));
  onnx.reset();
  const probabilities: number[] = [];
  const before = process.cpuUsage();
  for (let at = 0; at + SILERO_WINDOW <= samples.length; at += SILERO_WINDOW) {
    probabilities.push(await onnx.process(samples.subarray(at, at + SILERO_WINDOW)));
  }
  cpu.onnx += microseconds(before);
  cpu.windows += probabilities.length;
  return probabilities;
}

function atSixteenKhz(sound: Buffer): Buffer {
  const raw = ['-t', 'raw', '-e', 'signed', '-b', '16', '-c', '1'];
  const args = [
    '-D',
    '-V1',
    ...raw,
    '-r',
    String(SET_SAMPLE_RATE),
    '-',
    ...raw,
    '-r',
    String(SILERO_SAMPLE_RATE),
    '-',
    'rate',
    '-v',
  ];
  const { stdout, stderr, status } = spawnSync('sox', args, { input: sound, maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`sox failed: ${stderr.toString()}`);
  return stdout;
}

function microseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

void main();
