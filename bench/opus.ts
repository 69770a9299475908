/**
 * Opus beside libopus in C and beside each library alone, in one run: what a frame of 20 ms costs to encode and to
 * decode. Needs a C compiler and Debian's libopus-dev.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesPerSample, type PcmFormat } from '../src/audio/format';
import { OpusDecoder } from '../src/opus/decoder';
import { OpusEncoder } from '../src/opus/encoder';
import type { OpusLibrary, OpusRate } from '../src/opus/library';
import { loadNativeLibrary } from '../src/opus/native-library';
import { loadWasmLibrary } from '../src/opus/wasm-library';
import { cut, s16 } from '../test/opus/support/sound';
import { argument, printTable, quantile } from './lib/table';

const SECONDS = argument('seconds', 10);
/** Each candidate in turn, so often: all see the same load of the machine. */
const ROUNDS = argument('rounds', 7);

interface Case {
  readonly name: string;
  readonly format: PcmFormat & { readonly sampleRate: OpusRate };
  readonly application: 'audio' | 'voip';
  readonly bitrate: number;
}

/** µs of CPU a frame. */
interface Cost {
  readonly encode: number;
  readonly decode: number;
}

const CASES: readonly Case[] = [
  {
    name: '48 kHz stereo, audio, 128 kbit/s',
    format: { ...s16(48000, 2), sampleRate: 48000 },
    application: 'audio',
    bitrate: 128000,
  },
  {
    name: '24 kHz mono, voip, 32 kbit/s',
    format: { ...s16(24000, 1), sampleRate: 24000 },
    application: 'voip',
    bitrate: 32000,
  },
];
const APPLICATIONS = { voip: 2048, audio: 2049 } as const;

function main(): void {
  const directory = mkdtempSync(join(tmpdir(), 'opus-bench-'));
  try {
    const baseline = join(directory, 'opus-baseline');
    execFileSync('cc', ['-O2', join(__dirname, 'opus-baseline.c'), '-lopus', '-o', baseline]);
    for (const test of CASES) {
      const data = sound(test.format);
      const file = join(directory, 'sound.raw');
      writeFileSync(file, data);
      report(test, () => libopus(baseline, file, test), data);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function report(test: Case, inC: () => Cost, data: Buffer): void {
  const native = loadNativeLibrary();
  const candidates = new Map<string, () => Cost>([['libopus in C', inC]]);
  for (const library of [...(native ? [native] : []), loadWasmLibrary()]) {
    candidates.set(`${library.name} alone`, () => alone(library, test, data));
    candidates.set(`ours over ${library.name}`, () => ours(library, test, data));
  }
  const costs = new Map([...candidates.keys()].map((name): [string, Cost[]] => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, measure] of candidates) {
      const cost = measure();
      if (round > 0) costs.get(name)?.push(cost);
    }
  }
  const median = (name: string, part: keyof Cost): number =>
    quantile(
      (costs.get(name) ?? []).map((cost) => cost[part]),
      0.5,
    );
  printTable(
    `Opus, ${test.name}, Node ${process.version}`,
    ['', 'encode, µs a frame', '× C', 'decode, µs a frame', '× C'],
    [...candidates.keys()].map((name) => [
      name,
      ...(['encode', 'decode'] as const).flatMap((part) => {
        const [cost, reference] = [median(name, part), median('libopus in C', part)];
        return [cost.toFixed(1), (cost / reference).toFixed(2)];
      }),
    ]),
  );
}

function libopus(program: string, file: string, { format, application, bitrate }: Case): Cost {
  const args = [file, format.sampleRate, format.channels, APPLICATIONS[application], bitrate].map(String);
  const [encode = NaN, decode = NaN] = execFileSync(program, args).toString().trim().split(' ').map(Number);
  return { encode, decode };
}

function alone(library: OpusLibrary, { format, application, bitrate }: Case, data: Buffer): Cost {
  const codec = library.open(format.sampleRate, format.channels);
  codec.encoderControl('application', APPLICATIONS[application]);
  codec.encoderControl('bitrate', bitrate);
  codec.encoderControl('complexity', 10);
  const frames = cut(format, data, [format.sampleRate / 50]);
  const packets: Buffer[] = [];
  const encode = cpuOf(frames.length, () => {
    for (const frame of frames) packets.push(codec.encode(frame.data, frame.samples));
  });
  const decode = cpuOf(frames.length, () => {
    for (const packet of packets) codec.decode(packet);
  });
  codec.close();
  return { encode, decode };
}

function ours(library: OpusLibrary, { format, application, bitrate }: Case, data: Buffer): Cost {
  const encoder = new OpusEncoder({ application, bitrate }, library);
  const decoder = new OpusDecoder({ sampleRate: format.sampleRate, library });
  const frames = cut(format, data, [format.sampleRate / 50]);
  const packets: ReturnType<OpusEncoder['push']> = [];
  const encode = cpuOf(frames.length, () => {
    for (const frame of frames) packets.push(...encoder.push(frame));
  });
  const decode = cpuOf(frames.length, () => {
    for (const packet of packets) decoder.push(packet);
  });
  encoder.close();
  decoder.close();
  return { encode, decode };
}

function cpuOf(frames: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / frames;
}

/** A chord with overtones that changes four times a second, over noise: neither tone nor noise alone. */
function sound(format: PcmFormat): Buffer {
  const samples = SECONDS * format.sampleRate;
  const out = Buffer.alloc(samples * bytesPerSample(format));
  let seed = 1;
  for (let i = 0; i < samples; i++) {
    const note = Math.floor((4 * i) / format.sampleRate);
    const decay = Math.exp((-6 * ((4 * i) % format.sampleRate)) / format.sampleRate);
    for (let c = 0; c < format.channels; c++) {
      let value = 0;
      for (let tone = 0; tone < 3; tone++) {
        const hz = 110 * 2 ** (((note * 5 + tone * 4 + c) % 24) / 12);
        for (let n = 1; n < 8; n++) value += Math.sin((2 * Math.PI * hz * n * i) / format.sampleRate) / n;
      }
      seed = (Math.imul(seed, 1103515245) + 12345) | 0;
      out.writeInt16LE(Math.round(value * 3000 * decay + seed / 4_000_000), (i * format.channels + c) * 2);
    }
  }
  return out;
}

main();
