/** Takes the planar samples of one stretch without gaps to another rate, keeping what the filter needs between calls. */
import type { Kernel } from '../kernels/index';
import { INPUT_LENGTH, OUTPUT_LENGTH } from '../kernels/memory';
import type { Ratio } from './design';
import type { Filter } from './filter';

/** Writes `count` samples of channel `channel`, from `start` on, into `out` at `at`. */
export type ReadSamples = (
  channel: number,
  start: number,
  count: number,
  out: Float32Array,
  at: number,
) => void;
/** Takes the first `count` of `values`: samples of channel `channel`, from `start` on. */
export type WriteSamples = (channel: number, start: number, count: number, values: Float32Array) => void;

/** `position` input samples in output samples, to the nearest whole one; exact up to 2⁵³. */
export function convertPosition(position: number, { up, down }: Ratio): number {
  const turns = Math.floor(position / down);
  const rest = position - turns * down;
  return turns * up + Math.floor((2 * rest * up + down) / (2 * down));
}

export class RateConverter {
  /** By channel: what the filter still needs, from the next output's first tap on. */
  private readonly history: Float32Array[];
  private readonly block: number;
  /** Samples in the history. */
  private held = 0;
  /** How far the next output lies after its sample, in 1 / `ratio.up` of an input sample. */
  private phase = 0;
  /** Input and output samples since the stretch began. */
  private taken = 0;
  private given = 0;
  /** Of the stretch's first sample and its first output: how far they lie after a place where both grids meet. */
  private startRest = 0;
  private firstRest = 0;

  /** @param channels that are converted side by side */
  constructor(
    private readonly filter: Filter,
    channels: number,
    private readonly kernel: Kernel,
  ) {
    const { rowLength } = filter.table;
    const { up, down } = filter.ratio;
    this.history = Array.from({ length: channels }, () => new Float32Array(rowLength));
    const byOutput = Math.floor(((OUTPUT_LENGTH - 2) * down) / up);
    this.block = Math.min(INPUT_LENGTH - rowLength, byOutput);
  }

  /**
   * Begins a stretch at input sample `position`. Outputs lie on the grid of the stream's first sample, wherever
   * the stretch begins: output k belongs to input k · `down` / `up`.
   * @returns the first output's position
   */
  start(position: number): number {
    const { up, down } = this.filter.ratio;
    const { rowLength, half } = this.filter.table;
    const turns = Math.floor(position / down);
    this.startRest = position - turns * down;
    this.firstRest = convertPosition(this.startRest, this.filter.ratio);
    // First output, minus the stretch's first sample, in 1/up of an input sample: at most half an output away.
    const offset = this.firstRest * down - this.startRest * up;
    const ahead = Math.floor(offset / up);
    this.phase = offset - ahead * up;
    this.held = rowLength - half - 1 - ahead;
    for (const channel of this.history) channel.fill(0);
    this.taken = 0;
    this.given = 0;
    return turns * up + this.firstRest;
  }

  /** Outputs that will come when `samples` more have been taken. */
  readyAfter(samples: number): number {
    const { up, down } = this.filter.ratio;
    const room = this.held + samples - this.filter.table.rowLength;
    return room < 0 ? 0 : Math.ceil(((room + 1) * up - this.phase) / down);
  }

  /** Outputs that are still to come when the stretch ends here: in all, as many as last as long as the input. */
  get remaining(): number {
    const endRest = convertPosition(this.startRest + this.taken, this.filter.ratio);
    return endRest - this.firstRest - this.given;
  }

  /** Takes `samples` samples; hands out {@link readyAfter} of them, counted from 0. */
  convert(samples: number, read: ReadSamples, write: WriteSamples): void {
    for (let start = 0, out = 0; start < samples;) {
      const count = Math.min(this.block, samples - start);
      out += this.convertBlock(start, count, out, Infinity, read, write);
      start += count;
    }
  }

  /** Hands out what {@link remaining} counts, as if silence followed. */
  finish(write: WriteSamples): void {
    const { up, down } = this.filter.ratio;
    const total = this.remaining;
    const needed = this.filter.table.half + Math.ceil(down / up) + 1;
    for (let start = 0, out = 0; start < needed && out < total;) {
      const count = Math.min(this.block, needed - start);
      out += this.convertBlock(start, count, out, total - out, readSilence, write);
      start += count;
    }
  }

  private convertBlock(
    start: number,
    count: number,
    outputStart: number,
    limit: number,
    read: ReadSamples,
    write: WriteSamples,
  ): number {
    const { filter, kernel, history, held, phase } = this;
    const { up, down } = filter.ratio;
    const { input, output } = kernel;
    const ready = Math.min(this.readyAfter(count), limit);
    const moved = phase + ready * down;
    const drop = Math.floor(moved / up);
    const keep = held + count - drop;
    for (const [channel, past] of history.entries()) {
      input.set(past, 0);
      read(channel, start, count, input, held);
      if (ready > 0) {
        filter.run(kernel, phase, ready);
        write(channel, outputStart, ready, output);
      }
      for (let i = 0; i < keep; i++) past[i] = input[drop + i] ?? 0;
    }
    this.held = keep;
    this.phase = moved - drop * up;
    this.taken += count;
    this.given += ready;
    return ready;
  }
}

const readSilence: ReadSamples = (_channel, _start, count, out, at) => {
  out.fill(0, at, at + count);
};
