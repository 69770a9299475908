/** The yardstick: `parec` of a sink, cut into frames, each impulse with the time at which its frame was whole. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { SampleClock } from '../../src/audio/sample-clock';
import { ImpulseFinder } from './impulses';
import { monotonicMs } from './monotonic';

const RATE = 24_000;

/** An impulse that went through the sink; ms on the machine's monotonic clock. */
export interface BareImpulse {
  /** When the sink played it, by the line under all arrivals. */
  readonly sinkMs: number;
  /** When its frame was whole: borders where the chunks end, and borders counted from the first byte. */
  readonly anchoredMs: number;
  readonly naiveMs: number;
}

interface Waiting {
  readonly index: number;
  anchoredMs?: number;
  naiveMs?: number;
}

export class BareCapture {
  readonly impulses: BareImpulse[] = [];
  private readonly line = new SampleClock(RATE);
  private readonly finder = new ImpulseFinder(RATE);
  private readonly child: ChildProcess;
  private waiting: Waiting[] = [];
  private samples = 0;
  private anchor: number | undefined;
  private rest = Buffer.alloc(0);

  private readonly frameSamples: number;

  constructor(
    env: Readonly<Record<string, string>>,
    { device, fragmentMs, frameMs }: { device: string; fragmentMs: number; frameMs: number },
  ) {
    this.frameSamples = (RATE * frameMs) / 1000;
    const format = [
      '--raw',
      '--format=s16le',
      `--rate=${RATE}`,
      '--channels=1',
      `--latency-msec=${fragmentMs}`,
    ];
    this.child = spawn('parec', [...format, `--device=${device}`], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => this.push(chunk, monotonicMs()));
  }

  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill();
    await gone;
  }

  private push(chunk: Buffer, now: number): void {
    const data = Buffer.concat([this.rest, chunk]);
    const whole = data.length & ~1;
    this.rest = Buffer.from(data.subarray(whole));
    for (const index of this.finder.push(data.subarray(0, whole)))
      this.waiting.push({ index: this.samples + index });
    this.samples += whole >> 1;
    this.anchor ??= this.samples % this.frameSamples;
    this.line.observe(this.samples, now);
    for (const impulse of this.waiting) {
      if (this.isWhole(impulse.index, this.anchor)) impulse.anchoredMs ??= now;
      if (this.isWhole(impulse.index, 0)) impulse.naiveMs ??= now;
      const { index, anchoredMs, naiveMs } = impulse;
      if (anchoredMs === undefined || naiveMs === undefined) continue;
      this.impulses.push({ sinkMs: this.line.timeOf(index), anchoredMs, naiveMs });
    }
    this.waiting = this.waiting.filter(
      ({ anchoredMs, naiveMs }) => anchoredMs === undefined || naiveMs === undefined,
    );
  }

  /** Whether the frame that holds sample `index` has arrived, borders lying at `border` and every frame from it. */
  private isWhole(index: number, border: number): boolean {
    const frame = Math.floor((index - border) / this.frameSamples);
    return this.samples >= border + (frame + 1) * this.frameSamples;
  }
}
