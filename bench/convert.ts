/** Converting: how soon a file and a radio sound, throughput beside ffmpeg alone, what it costs the process. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Decoding } from '../src/convert/decoding';
import { findFfmpeg } from '../src/convert/find-ffmpeg';
import { argument, printTable, quantile } from './lib/table';

const ROUNDS = argument('rounds', 7);
const FILES = argument('files', 100);
/** A radio of 128 kbit/s sends this much in 100 ms. */
const RADIO_PIECE_BYTES = 1600;

/** Three minutes of noise and tones. */
function threeMinutes(name: string, ...options: string[]): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'orgo-bench-'));
  const source = 'anoisesrc=r=44100:d=180:a=0.2[n];sine=440:r=44100:d=180[s];[n][s]amix=2';
  const file = join(directory, name);
  spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, '-ac', '2', ...options, file]);
  const bytes = readFileSync(file);
  rmSync(directory, { recursive: true });
  return bytes;
}

interface Whole {
  readonly firstMs: number;
  readonly ms: number;
}

async function decodeWhole(file: Buffer): Promise<Whole> {
  const start = performance.now();
  let firstMs = NaN;
  const decoding = new Decoding({ isWhole: true }, () => {
    if (Number.isNaN(firstMs)) firstMs = performance.now() - start;
  });
  await decoding.write(file);
  const error = await decoding.finish();
  if (error) throw error;
  return { firstMs, ms: performance.now() - start };
}

/** The same work by ffmpeg alone, its output read and thrown away. */
async function byFfmpeg(file: Buffer): Promise<number> {
  const start = performance.now();
  const args = ['-v', 'error', '-i', 'pipe:0', '-f', 's16le', 'pipe:1'];
  const child = spawn('ffmpeg', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout.resume();
  child.stdin.end(file);
  await once(child, 'close');
  return performance.now() - start;
}

/** Milliseconds from the first piece of a radio, tuned into in the middle of a frame, to its first sound. */
async function radio(file: Buffer): Promise<number> {
  const start = performance.now();
  let firstMs = NaN;
  const decoding = new Decoding({}, () => {
    if (Number.isNaN(firstMs)) firstMs = performance.now() - start;
  });
  for (let at = 12_345; Number.isNaN(firstMs); at += RADIO_PIECE_BYTES) {
    await decoding.write(file.subarray(at, at + RADIO_PIECE_BYTES));
    await delay(100);
  }
  await decoding.abort();
  return firstMs;
}

function memory(): number {
  globalThis.gc?.();
  const { rss } = process.memoryUsage();
  return rss / 1e6;
}

/** MB beyond those at rest, the file included, while it is decoded; the most of what was seen every 5 ms. */
async function mostMemory(file: Buffer): Promise<number> {
  const before = memory();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss / 1e6)), 5);
  await decodeWhole(file);
  clearInterval(watch);
  return most - before + file.length / 1e6;
}

async function main(): Promise<void> {
  const file = threeMinutes('a.mp3', '-b:a', '128k');
  await decodeWhole(file);
  const [ours, alone, radios, held]: [Whole[], number[], number[], number[]] = [[], [], [], []];
  let heldP99 = 0;
  for (let i = 0; i < ROUNDS; i++) {
    // A fresh one each time: it would count the pause between two rounds as a delay.
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    ours.push(await decodeWhole(file));
    loop.disable();
    held.push(loop.max / 1e6 - 1);
    heldP99 = Math.max(heldP99, loop.percentile(99) / 1e6 - 1);
    alone.push(await byFfmpeg(file));
  }
  const small = await mostMemory(file);
  const largeFile = threeMinutes('a.wav', '-c:a', 'pcm_s24le');
  const large = await mostMemory(largeFile);
  for (let i = 0; i < ROUNDS; i++) radios.push(await radio(file));
  const handles = (): number => readdirSync('/proc/self/fd').length;
  const [handlesBefore, memoryBefore] = [handles(), memory()];
  for (let i = 0; i < FILES; i++) await decodeWhole(file.subarray(0, 100_000));
  const median = (values: readonly number[]): number => quantile(values, 0.5);
  const firsts = ours.map(({ firstMs }) => firstMs);
  const ratio = median(alone) / median(ours.map(({ ms }) => ms));
  const rows = [
    [
      'first sound of a 3-minute MP3, ms: median / worst',
      `${median(firsts).toFixed(0)} / ${Math.max(...firsts).toFixed(0)}`,
      '300',
    ],
    [
      'first sound of an MP3 radio, ms: median / worst',
      `${median(radios).toFixed(0)} / ${Math.max(...radios).toFixed(0)}`,
      '1000',
    ],
    ['throughput ÷ ffmpeg alone', ratio.toFixed(2), '≥ 0.8'],
    ['event loop held up, ms: p99 / worst', `${heldP99.toFixed(1)} / ${Math.max(...held).toFixed(1)}`, '20'],
    [
      'memory with the file, MB: MP3 / 24-bit WAV',
      `${small.toFixed(1)} / ${large.toFixed(1)}`,
      `2 × the file: ${(file.length / 5e5).toFixed(1)} / ${(largeFile.length / 5e5).toFixed(1)}`,
    ],
    [
      `${FILES} files in a row: handles / MB more`,
      `${handles() - handlesBefore} / ${(memory() - memoryBefore).toFixed(1)}`,
      '0 / no growth',
    ],
  ];
  const { version } = await findFfmpeg();
  printTable(`Converting, ${ROUNDS} rounds, ffmpeg ${version}`, ['', 'measured', 'wanted'], rows);
}

void main();
