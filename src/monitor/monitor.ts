/** One wire: its history always, its levels and its sound only while someone wants them. */
import type { Clock } from '../audio/clock';
import { msOfSamples, sameFormat, type AudioFormat } from '../audio/format';
import type { AudioFrame } from '../audio/frame';
import { History } from './history';
import { LevelMeter, NO_LEVELS, WINDOW_MS } from './level-meter';
import { LiveSound, type MarkedFrame } from './live-sound';
import { Spectrum } from './spectrum';
import { COLUMN_BYTES, COLUMN_MS, TICK_MS, type MonitorInfo, type MonitorLevels } from './viewer-protocol';

/** A stream that brings nothing for this long gives way to another one. */
const GIVE_WAY_MS = 1000;
/** As long as sound comes, its age is the one that it had when it came. */
const STILL_MS = 500;
/** What waits to be sent as columns, where nobody takes it: a second. */
const MAX_COLUMNS = 20;

export interface MonitorOptions {
  /** Of the node that runs. */
  readonly id: string;
  /** Of the node in the editor. */
  readonly nodeId: string;
  readonly name: string;
  readonly historySeconds: number;
}

/** A frame, as it came to the node. */
export interface Arrival {
  readonly frame: AudioFrame;
  readonly stream: string;
  /** Whether the frame's `time` is known. */
  readonly timed: boolean;
  /** It continues nothing that came before. */
  readonly begins: boolean;
  /** Whether someone speaks in it. */
  readonly speech: boolean;
}

/** What a monitor's sound is wanted for, and who hears of it. */
export interface Wanted {
  readonly levels: boolean;
  /** Undefined where nobody plays it. */
  readonly onSound: ((frame: MarkedFrame) => void) | undefined;
}

export class Monitor {
  readonly history: History;
  private wanted: Wanted = { levels: false, onSound: undefined };
  private live: LiveSound | undefined;
  private meter: LevelMeter | undefined;
  private spectrum: Spectrum | undefined;
  private columns: Uint8Array[] = [];
  private format: AudioFormat | undefined;
  /** The one that is kept and shown. */
  private stream: string | undefined;
  private arrivedAt = -Infinity;
  /** When the newest sample was captured, epoch ms; undefined where that is not known. */
  private endTime: number | undefined;
  private ageMs = 0;
  /** When something was last shown, and when someone spoke in it. */
  private shownAt = -Infinity;
  private spokeAt = -Infinity;
  private gaps = 0;
  private gapMs = 0;
  /** When each other stream came last, on the monotonic clock. */
  private readonly others = new Map<string, number>();

  /** @param onFormat called when another format has begun */
  constructor(
    readonly options: MonitorOptions,
    private readonly clock: Clock,
    private readonly onFormat: () => void = () => undefined,
  ) {
    this.history = new History(options.historySeconds);
  }

  push(arrival: Arrival): void {
    const { frame, stream, timed, speech } = arrival;
    if (!this.follows(stream)) return;
    const isOther = stream !== this.stream;
    this.stream = stream;
    this.note(frame, timed);
    this.history.push(frame, timed, arrival.begins || isOther);
    if (isOther && this.live) this.restart();
    this.live?.push(frame, timed, speech);
  }

  /** The stream is over; another one may follow at once. */
  end(stream: string): void {
    this.others.delete(stream);
    if (this.stream === stream) this.stream = undefined;
  }

  /** Says what its sound is wanted for. Where that is nothing, nothing is computed. */
  want(wanted: Wanted): void {
    this.wanted = wanted;
    const isWanted = wanted.levels || wanted.onSound !== undefined;
    if (isWanted !== (this.live !== undefined)) this.restart();
    if (wanted.levels) this.meter ??= new LevelMeter(this.clock);
    else {
      this.meter = undefined;
      this.spectrum = undefined;
      this.columns = [];
    }
  }

  info(key: number): MonitorInfo {
    const { id, nodeId, name, historySeconds } = this.options;
    const { encoding = '', sampleRate = 0, channels = 0 } = this.format ?? {};
    const format = this.format ? { encoding, sampleRate, channels } : null;
    return { id, key, nodeId, name, format, historySeconds };
  }

  levels(): MonitorLevels {
    const { peak, rms, hold } = this.meter?.read() ?? NO_LEVELS;
    const { gaps } = this;
    return {
      id: this.options.id,
      ...{ peak: tenths(peak), rms: tenths(rms), hold: tenths(hold) },
      ageMs: this.age(),
      speech: this.clock.now() - this.spokeAt <= WINDOW_MS,
      ...{ gaps, gapMs: Math.round(this.gapMs), others: this.othersNow() },
    };
  }

  /** The columns since the last call, one after the other; while nothing comes, those of silence. */
  takeColumns(): Uint8Array {
    const { columns } = this;
    this.columns = [];
    const isSilent = this.clock.now() - this.shownAt > TICK_MS;
    const count = columns.length === 0 && isSilent ? TICK_MS / COLUMN_MS : columns.length;
    const bytes = new Uint8Array(count * COLUMN_BYTES);
    for (const [index, column] of columns.entries()) bytes.set(column, index * COLUMN_BYTES);
    return bytes;
  }

  close(): void {
    this.live?.close();
    this.live = undefined;
  }

  private follows(stream: string): boolean {
    const now = this.clock.now();
    if (this.stream === undefined || this.stream === stream || now - this.arrivedAt > GIVE_WAY_MS) {
      this.others.delete(stream);
      return true;
    }
    this.others.set(stream, now);
    return false;
  }

  private othersNow(): number {
    const now = this.clock.now();
    for (const [stream, at] of this.others) if (now - at > GIVE_WAY_MS) this.others.delete(stream);
    return this.others.size;
  }

  private note(frame: AudioFrame, timed: boolean): void {
    const { format, samples, time, gap } = frame;
    const { sampleRate } = format;
    const now = this.clock.now();
    this.arrivedAt = now;
    this.endTime = timed ? time + msOfSamples(sampleRate, samples) : undefined;
    if (this.endTime !== undefined) this.ageMs = now + this.clock.epochOffset() - this.endTime;
    if (gap > 0) {
      this.gaps += 1;
      this.gapMs += msOfSamples(sampleRate, gap);
    }
    if (this.format && sameFormat(this.format, format)) return;
    this.format = format;
    if (this.live) this.restart();
    this.onFormat();
  }

  private age(): number | null {
    if (this.endTime === undefined) return null;
    const now = this.clock.now();
    const isStill = now - this.arrivedAt <= STILL_MS;
    const age = isStill ? this.ageMs : now + this.clock.epochOffset() - this.endTime;
    // Of a clock that is ahead of ours.
    return Math.max(0, Math.round(age));
  }

  private restart(): void {
    this.live?.close();
    const isWanted = this.wanted.levels || this.wanted.onSound !== undefined;
    this.live = isWanted ? new LiveSound(this.clock, (frame) => this.onLive(frame)) : undefined;
  }

  private onLive(frame: MarkedFrame): void {
    this.wanted.onSound?.(frame);
    if (!this.wanted.levels) return;
    this.shownAt = this.clock.now();
    if (frame.speech === true) this.spokeAt = this.shownAt;
    this.meter?.push(frame);
    if (!this.spectrum || !sameFormat(this.spectrum.format, frame.format)) {
      this.spectrum = new Spectrum(frame.format);
    }
    for (const rows of this.spectrum.push(frame)) {
      const column = new Uint8Array(COLUMN_BYTES);
      column[0] = frame.speech === true ? 1 : 0;
      column.set(rows, 1);
      this.columns.push(column);
    }
    if (this.columns.length > MAX_COLUMNS) this.columns = this.columns.slice(-MAX_COLUMNS);
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
