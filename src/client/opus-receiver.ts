/** Turns one stream's Opus packets, as they come, into frames with their place. */
import type { Clock } from '../audio/clock';
import { OrgoError } from '../audio/errors';
import type { AudioFormat } from '../audio/format';
import type { AudioFrame } from '../audio/frame';
import { moved, startOf } from '../audio/place';
import { OPUS_CLOCK_RATE, packetSamples } from '../opus/packet';
import type { ClockMessage } from '../protocol/messages';
import { frameSamples } from '../protocol/stream-format';
import type { Gap } from './receiver';
import { StreamClock } from './stream-clock';

export interface OpusReceiverOptions {
  readonly format: AudioFormat<'opus'>;
  /** The encoder's look-ahead, samples at 48 kHz; undefined where the server did not say it. */
  readonly preSkip: number | undefined;
  readonly clock: Clock;
}

/** Holds nothing: each packet is a frame. What is missing stays a gap, which a decoder conceals. */
export class OpusReceiver {
  readonly format: AudioFormat<'opus'>;
  private readonly streamClock: StreamClock;
  /** Samples of the last packet: what can't be read is taken to be as long. */
  private lastSamples: number;
  /** Samples of packets that could not be read, since the last that could. */
  private unreadable = 0;
  private noticed = false;

  /**
   * @param onGap called before the frame that follows the gap is returned
   * @param onNotice called for the first packet that can't be read
   */
  constructor(
    private readonly options: OpusReceiverOptions,
    private readonly onGap: (gap: Gap) => void,
    private readonly onNotice: (notice: OrgoError) => void,
  ) {
    this.format = options.format;
    this.streamClock = new StreamClock(this.format.sampleRate, options.clock);
    this.lastSamples = frameSamples(this.format.sampleRate);
  }

  /** Whether position, time and gap are the server's own. */
  get exact(): boolean {
    return this.streamClock.exact;
  }

  /** Remembers what the server says about the packet that comes next. */
  announce(message: ClockMessage): void {
    this.streamClock.announce(message);
  }

  /** Takes one message. */
  push(data: Buffer): AudioFrame<'opus'>[] {
    const samples = Math.round((packetSamples(data) * this.format.sampleRate) / OPUS_CLOCK_RATE);
    if (samples === 0) {
      this.skip(data);
      return [];
    }
    this.lastSamples = samples;
    const { position, time, gap: missing } = this.streamClock.place(samples);
    const gap = missing + this.unreadable;
    this.unreadable = 0;
    const { format } = this;
    const { preSkip } = this.options;
    const frame: AudioFrame<'opus'> = {
      ...{ format, data, samples, position, time, gap, latencyMs: 0 },
      ...(preSkip !== undefined && { preSkip }),
    };
    if (gap > 0) this.reportGap(frame);
    return [frame];
  }

  /** There is never a rest. */
  flush(): undefined {
    return undefined;
  }

  private reportGap(frame: AudioFrame<'opus'>): void {
    const { position, time } = moved(startOf(frame), -frame.gap);
    this.onGap({ samples: frame.gap, filled: 0, position, time });
  }

  /** A packet that can't be read counts as lost. */
  private skip(data: Buffer): void {
    const { gap } = this.streamClock.place(this.lastSamples);
    this.unreadable += gap + this.lastSamples;
    if (this.noticed) return;
    this.noticed = true;
    const text = `The server sent ${data.length} bytes that are no Opus packet: they count as lost`;
    this.onNotice(new OrgoError('ORGO_PROTOCOL_VIOLATION', text));
  }
}
