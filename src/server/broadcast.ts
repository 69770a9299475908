/** The one registry of listeners, and their one capture: started with the first, stopped after the last. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../audio/clock';
import { errorText, OrgoError } from '../audio/errors';
import type { PcmFrame } from '../audio/frame';
import { SoundDetector, type SoundChange } from '../audio/sound-detector';
import type { Source, SourceSink, SourceState } from '../capture/source';
import { CloseCode } from '../protocol/close-codes';
import { CAPTURE_FAILED_TEXT } from '../protocol/messages';
import { FRAME_MS, type Codec } from '../protocol/stream-format';
import type { ServerEvent } from './events';
import { FormatChannel } from './format-channel';
import type { Listener } from './listener';
import { wireEncoderFor } from './wire-encoder';

/** A listener that comes back within this time finds the capture still running. */
const STOP_AFTER_MS = 2000;
/** A sound server that stays away this long ends the connections. */
const GIVE_UP_AFTER_MS = 30_000;
/** A new listener waits this long for a capture that can't be had. */
const START_WITHIN_MS = 3000;

export interface BroadcastOptions {
  readonly source: Source;
  readonly clock: Clock;
  readonly onEvent: (event: ServerEvent) => void;
  /** Called whenever the source's state, or whether it gives sound, changed. */
  readonly onState: (state: SourceState, sound: boolean) => void;
  /** Called once for each fault that ends one part of the broadcast while the others go on. */
  readonly onError: (error: OrgoError) => void;
}

export class Broadcast {
  /** Every listener until its connection is closed, those that wait for their first frame included. */
  private readonly members = new Set<Listener>();
  /** By the key of their stream. */
  private readonly channels = new Map<string, FormatChannel>();
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
  /** Texts of the faults of this capture that were reported. */
  private readonly faults = new Set<string>();
  /** Time spent on making wire frames since the beginning, ms. */
  readonly encodingMs: Map<Codec, number> = new Map([
    ['pcm', 0],
    ['opus', 0],
  ]);

  constructor(private readonly options: BroadcastOptions) {}

  get listeners(): ReadonlySet<Listener> {
    return this.members;
  }

  /** Age of the newest frame, ms; null before the first. */
  get ageMs(): number | null {
    const times = [...this.channels.values()].flatMap((channel) => channel.newestTime ?? []);
    const { clock } = this.options;
    return times.length === 0 ? null : clock.now() + clock.epochOffset() - Math.max(...times);
  }

  /**
   * Takes a listener in, and starts the capture with the first.
   * @param onJoined called when it is counted, before anything that its coming causes
   */
  add(listener: Listener, onJoined: () => void): void {
    this.cancel('stop');
    this.members.add(listener);
    this.waiting.add(listener);
    onJoined();
    this.expectStart(listener);
    if (!this.running) this.startSource();
    else this.admit();
  }

  /** State of the source, and whether it gives sound. */
  get capture(): { readonly state: SourceState['kind']; readonly hasSound: boolean } {
    return { state: this.state.kind, hasSound: this.detector.sound };
  }

  /** Streams beyond the document's that somebody listens to, or waits for: their keys. */
  choices(): ReadonlySet<string> {
    const streams = [...this.members].map(({ stream }) => stream);
    return new Set(streams.filter(({ isExtension }) => isExtension).map(({ key }) => key));
  }

  remove(listener: Listener): void {
    this.cancel(listener);
    this.members.delete(listener);
    this.waiting.delete(listener);
    for (const [key, channel] of this.channels) {
      if (channel.listeners.delete(listener) && channel.listeners.size === 0) {
        channel.close();
        this.channels.delete(key);
        this.setChunk();
      }
    }
    if (this.running && this.channels.size === 0 && this.waiting.size === 0) {
      this.schedule('stop', STOP_AFTER_MS, () => this.stop());
    }
  }

  /** Stops the source at once, and sends the listeners no more: the caller closes them. */
  stop(): void {
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
    this.waiting.clear();
    // A connection that is still closing must not receive the next capture.
    for (const channel of this.channels.values()) channel.close();
    this.channels.clear();
    this.running = false;
    this.options.source.stop();
    const change = this.detector.finish();
    this.detector = new SoundDetector();
    if (change) this.report(change);
    this.enter({ kind: 'idle' });
  }

  private startSource(): void {
    this.running = true;
    this.everRan = false;
    this.away = false;
    this.stream = randomUUID();
    this.faults.clear();
    const sink: SourceSink = {
      onFrame: (frame) => this.onFrame(frame),
      onState: (state) => this.onSourceState(state),
    };
    try {
      this.options.source.start(sink);
    } catch (error) {
      this.onSourceState({ kind: 'lost', error: startError(error) });
    }
  }

  /** The one place that stops a fault from spreading to another channel, or into the source's timer. */
  private onFrame(frame: PcmFrame): void {
    for (const channel of this.channels.values()) {
      try {
        channel.push(frame);
      } catch (error) {
        this.endChannel(channel, error);
      }
    }
    try {
      this.detect(frame);
    } catch (error) {
      this.detector = new SoundDetector();
      this.reportFault('The detection of sound and silence was started anew', error);
    }
  }

  private detect(frame: PcmFrame): void {
    const change = this.detector.push(frame);
    if (!change) return;
    this.report(change);
    this.options.onState(this.state, this.detector.sound);
  }

  /** A channel that failed is closed with its own listeners; a listener that connects again gets a new one. */
  private endChannel(channel: FormatChannel, error: unknown): void {
    const { key } = channel.stream;
    this.channels.delete(key);
    for (const listener of channel.listeners) this.fail(listener);
    channel.close();
    const { size } = channel.listeners;
    const who = size === 1 ? 'The 1 listener' : `The ${size} listeners`;
    this.reportFault(`${who} to ${key} ${size === 1 ? 'was' : 'were'} closed with 4500`, error);
  }

  private reportFault(what: string, error: unknown): void {
    const text = errorText(error);
    if (this.faults.has(text)) return;
    this.faults.add(text);
    const message = `${what}, since a piece of sound could not be served: ${text}`;
    this.options.onError(new OrgoError('ORGO_CAPTURE_FAILED', message, { cause: error }));
  }

  private report({ sound, format, position, time }: SoundChange): void {
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
        this.reportRunning(state.device);
        this.admit();
        break;
      case 'suspended':
        this.cancel('lost');
        this.admit();
        break;
      case 'lost':
        this.reportLost(state.error);
        // From one attempt to the next it may be starting in between: the time of the first loss counts.
        if (!this.timers.has('lost')) this.schedule('lost', GIVE_UP_AFTER_MS, () => this.giveUp());
        break;
      case 'idle':
      case 'starting':
        break;
    }
  }

  private reportRunning(device: string): void {
    const event = this.everRan ? 'capture-resumed' : 'capture-started';
    const isNews = this.away || !this.everRan;
    this.everRan = true;
    this.away = false;
    if (isNews) this.options.onEvent({ event, device });
  }

  private reportLost({ code, message }: OrgoError): void {
    if (this.away || !this.everRan) return;
    this.away = true;
    this.options.onEvent({ event: 'capture-lost', code, message });
  }

  private enter(state: SourceState): void {
    this.state = state;
    this.options.onState(state, this.detector.sound);
  }

  /** Lets the listeners that waited for a running capture into the channels of their formats. */
  private admit(): void {
    if (this.state.kind !== 'running' && this.state.kind !== 'suspended') return;
    for (const listener of this.waiting) this.channelOf(listener).listeners.add(listener);
    this.waiting.clear();
  }

  private channelOf({ stream }: Listener): FormatChannel {
    const existing = this.channels.get(stream.key);
    if (existing) return existing;
    const { codec } = stream;
    const channel = new FormatChannel(
      stream,
      wireEncoderFor(stream),
      () => this.options.clock.now(),
      (ms) => this.encodingMs.set(codec, (this.encodingMs.get(codec) ?? 0) + ms),
    );
    this.channels.set(stream.key, channel);
    this.setChunk();
    return channel;
  }

  /** The source gives sound as often as the shortest frames that are listened to need it. */
  private setChunk(): void {
    const lengths = [...this.channels.values()].map(({ stream }) => stream.frameMs);
    this.options.source.setChunk?.(Math.min(FRAME_MS, ...lengths));
  }

  private expectStart(listener: Listener): void {
    this.schedule(listener, START_WITHIN_MS, () => {
      if (!this.waiting.has(listener)) return;
      if (this.state.kind === 'lost') this.fail(listener);
      else this.expectStart(listener);
    });
  }

  private giveUp(): void {
    for (const listener of this.members) this.fail(listener);
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

function startError(error: unknown): OrgoError {
  if (error instanceof OrgoError) return error;
  return new OrgoError('ORGO_CAPTURE_FAILED', `The capture did not start: ${errorText(error)}`, {
    cause: error,
  });
}
