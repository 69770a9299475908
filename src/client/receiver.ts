/** Turns one stream's bytes, however they are cut, into frames with their place. Fills losses with silence. */
import type { Clock } from '../audio/clock';
import { bytesPerSample, samplesInMs, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { Framer } from '../audio/framer';
import { fillGap } from '../audio/gaps';
import { moved, startOf } from '../audio/place';
import { SampleJoiner } from '../audio/sample-joiner';
import type { ClockMessage } from '../protocol/messages';
import { StreamClock } from './stream-clock';

/** Of a longer gap, this much is filled with silence; the rest stays a gap. */
const MAX_FILL_MS = 2000;

export interface ReceiverOptions {
  readonly format: PcmFormat;
  /** Length of each frame; only the last before a gap, within one, or at the end may be shorter. 0: as it arrives. */
  readonly frameMs: number;
  /** Whether to fill losses with silence. */
  readonly fillGaps: boolean;
  readonly clock: Clock;
}

/** Something is missing from the stream. */
export interface Gap {
  /** How many samples are missing. */
  readonly samples: number;
  /** How many of them were filled with silence. */
  readonly filled: number;
  /** Of the first missing sample. */
  readonly position: number;
  /** Of the first missing sample, epoch ms. */
  readonly time: number;
}

/** One stream's bytes to frames. Holds at most part of a frame. */
export class Receiver {
  readonly format: PcmFormat;
  private readonly streamClock: StreamClock;
  private readonly framer: Framer | undefined;
  private readonly sampleBytes: number;
  private readonly joiner = new SampleJoiner();
  private readonly startedAt: number;
  /** Lost samples filled with silence so far. */
  private filled = 0;

  /** @param onGap called before the frames that follow the gap are returned */
  constructor(
    private readonly options: ReceiverOptions,
    private readonly onGap: (gap: Gap) => void,
  ) {
    const { format, frameMs, clock } = options;
    this.format = format;
    this.sampleBytes = bytesPerSample(format);
    this.startedAt = clock.now();
    this.streamClock = new StreamClock(format.sampleRate, clock);
    const frameSamples = samplesInMs(format.sampleRate, frameMs);
    this.framer = frameSamples > 0 ? new Framer(format, frameSamples) : undefined;
  }

  /** Whether position, time and gap are the server's own. */
  get exact(): boolean {
    return this.streamClock.exact;
  }

  /** Remembers what the server says about the bytes that come next. */
  announce(message: ClockMessage): void {
    if (message.dropped > 0) this.joiner.clear();
    this.streamClock.announce(message);
  }

  /** Takes the bytes of one message; returns the frames that are now complete. */
  push(bytes: Buffer): PcmFrame[] {
    const data = this.joiner.push(bytes, this.sampleBytes);
    const samples = data.length / this.sampleBytes;
    if (samples === 0) return [];
    const { position, time, gap } = this.streamClock.place(samples);
    const frame: PcmFrame = { format: this.format, data, samples, position, time, gap, latencyMs: 0 };
    return gap > 0 ? this.pushAfterGap(frame) : this.reframe(frame);
  }

  /** The frame that was not complete yet, if any. Call it at the end of the stream. */
  flush(): PcmFrame | undefined {
    this.joiner.clear();
    return this.framer?.flush()[0];
  }

  private pushAfterGap(frame: PcmFrame): PcmFrame[] {
    const { filler, sound } = fillGap(frame, this.mostFilled());
    const filled = filler?.samples ?? 0;
    this.filled += filled;
    const { position, time } = moved(startOf(frame), -frame.gap);
    this.onGap({ samples: frame.gap, filled, position, time });
    if (!filler) return this.reframe(sound);
    // The filler's own rest goes out short, so that frames go on ending where the server's do.
    return [...this.reframe(filler), ...(this.framer?.flush() ?? []), ...this.reframe(sound)];
  }

  /**
   * How many samples may be filled with silence now. Sound can't be lost faster than time passes, so a server that
   * reports loss after loss can't make us produce more silence than that.
   */
  private mostFilled(): number {
    if (!this.options.fillGaps) return 0;
    const { sampleRate } = this.format;
    const passed = samplesInMs(sampleRate, this.options.clock.now() - this.startedAt + MAX_FILL_MS);
    return Math.max(0, Math.min(samplesInMs(sampleRate, MAX_FILL_MS), passed - this.filled));
  }

  private reframe(frame: PcmFrame): PcmFrame[] {
    return this.framer ? this.framer.push(frame) : [frame];
  }
}
