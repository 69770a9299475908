/** One capture for all: started with the first listener, stopped behind the last, converted once a format. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../audio/clock';
import type { OrgoError } from '../audio/errors';
import { formatText } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { SoundDetector, type SoundChange } from '../audio/sound-detector';
import type { Source, SourceSink, SourceState } from '../capture/source';
import { CloseCode } from '../protocol/close-codes';
import { CAPTURE_FAILED_TEXT } from '../protocol/messages';
import type { ServerEvent } from './events';
import { FormatChannel } from './format-channel';
import type { Listener } from './listener';

/** Who comes back within this time finds the capture still running. */
const STOP_AFTER_MS = 2000;
/** A sound server that stays away this long ends the connections. */
const GIVE_UP_AFTER_MS = 30_000;
/** A new listener waits this long for a capture that can't be had. */
const START_WITHIN_MS = 3000;

export interface BroadcastOptions {
  readonly source: Source;
  readonly clock: Clock;
  readonly onEvent: (event: ServerEvent) => void;
  /** Told whenever the source's state, or whether it gives sound, changed. */
  readonly onState: (state: SourceState, sound: boolean) => void;
}

export class Broadcast {
  private readonly lanes = new Map<string, FormatChannel>();
  /** Listeners that have come while nothing could be captured. */
  private readonly waiting = new Set<Listener>();
  private readonly timers = new Map<Listener | 'stop' | 'lost', () => void>();
  private state: SourceState = { kind: 'idle' };
  private detector = new SoundDetector();
  private stream = '';
  private running = false;
  private everRan = false;
  /** From the loss of a capture that had run until it is back. */
  private away = false;

  constructor(private readonly options: BroadcastOptions) {}

  /** All listeners, those that still wait for their first frame included. */
  *listeners(): Iterable<Listener> {
    yield* this.waiting;
    for (const lane of this.lanes.values()) yield* lane.listeners;
  }

  /** Age of the newest frame, ms; null before the first. */
  get ageMs(): number | null {
    const times = [...this.lanes.values()].flatMap((lane) => lane.newestTime ?? []);
    const { clock } = this.options;
    return times.length === 0 ? null : clock.now() + clock.epochOffset() - Math.max(...times);
  }

  add(listener: Listener): void {
    this.cancel('stop');
    this.waiting.add(listener);
    this.expectStart(listener);
    if (!this.running) this.startSource();
    else this.admit();
  }

  remove(listener: Listener): void {
    this.cancel(listener);
    this.waiting.delete(listener);
    for (const [key, lane] of this.lanes) {
      if (lane.listeners.delete(listener) && lane.listeners.size === 0) {
        lane.close();
        this.lanes.delete(key);
      }
    }
    if (this.running && this.lanes.size === 0 && this.waiting.size === 0) {
      this.schedule('stop', STOP_AFTER_MS, () => this.stop());
    }
  }

  /** Stops the source at once, and forgets the listeners: who calls this closes them. */
  stop(): void {
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
    this.waiting.clear();
    // Who does not answer our closing stays for a while: its lane must not go on into the next capture.
    for (const lane of this.lanes.values()) lane.close();
    this.lanes.clear();
    this.running = false;
    this.options.source.stop();
    const change = this.detector.finish();
    this.detector = new SoundDetector();
    if (change) this.tell(change);
    this.enter({ kind: 'idle' });
  }

  private startSource(): void {
    this.running = true;
    this.everRan = false;
    this.away = false;
    this.stream = randomUUID();
    const sink: SourceSink = {
      onFrame: (frame) => this.onFrame(frame),
      onState: (state) => this.onSourceState(state),
    };
    this.options.source.start(sink);
  }

  private onFrame(frame: PcmFrame): void {
    for (const lane of this.lanes.values()) lane.push(frame);
    const change = this.detector.push(frame);
    if (!change) return;
    this.tell(change);
    this.options.onState(this.state, this.detector.sound);
  }

  private tell({ sound, format, position, time }: SoundChange): void {
    this.options.onEvent({
      event: sound ? 'sound-started' : 'sound-stopped',
      place: { format, stream: this.stream, position, time },
    });
  }

  private onSourceState(state: SourceState): void {
    this.enter(state);
    switch (state.kind) {
      case 'running':
        this.cancel('lost');
        this.tellRunning(state.device);
        this.admit();
        break;
      case 'suspended':
        this.cancel('lost');
        this.admit();
        break;
      case 'lost':
        this.tellLost(state.error);
        // From one attempt to the next it may be starting in between: the time of the first loss counts.
        if (!this.timers.has('lost')) this.schedule('lost', GIVE_UP_AFTER_MS, () => this.giveUp());
        break;
      case 'idle':
      case 'starting':
        break;
    }
  }

  private tellRunning(device: string): void {
    const event = this.everRan ? 'capture-resumed' : 'capture-started';
    const isNews = this.away || !this.everRan;
    this.everRan = true;
    this.away = false;
    if (isNews) this.options.onEvent({ event, device });
  }

  private tellLost({ code, message }: OrgoError): void {
    if (this.away || !this.everRan) return;
    this.away = true;
    this.options.onEvent({ event: 'capture-lost', code, message });
  }

  private enter(state: SourceState): void {
    this.state = state;
    this.options.onState(state, this.detector.sound);
  }

  /** Lets those who waited for a running capture into the lanes of their formats. */
  private admit(): void {
    if (this.state.kind !== 'running' && this.state.kind !== 'suspended') return;
    for (const listener of this.waiting) this.laneOf(listener).listeners.add(listener);
    this.waiting.clear();
  }

  private laneOf(listener: Listener): FormatChannel {
    const key = formatText(listener.format);
    const lane = this.lanes.get(key) ?? new FormatChannel(listener.format, () => this.options.clock.now());
    this.lanes.set(key, lane);
    return lane;
  }

  private expectStart(listener: Listener): void {
    this.schedule(listener, START_WITHIN_MS, () => {
      if (!this.waiting.has(listener)) return;
      if (this.state.kind === 'lost') this.fail(listener);
      else this.expectStart(listener);
    });
  }

  private giveUp(): void {
    for (const listener of [...this.listeners()]) this.fail(listener);
  }

  private fail(listener: Listener): void {
    listener.close(CloseCode.captureFailed, 'audio capture failed', CAPTURE_FAILED_TEXT);
  }

  private schedule(key: Listener | 'stop' | 'lost', ms: number, fn: () => void): void {
    this.cancel(key);
    const cancel = this.options.clock.after(ms, () => {
      this.timers.delete(key);
      fn();
    });
    this.timers.set(key, cancel);
  }

  private cancel(key: Listener | 'stop' | 'lost'): void {
    this.timers.get(key)?.();
    this.timers.delete(key);
  }
}
