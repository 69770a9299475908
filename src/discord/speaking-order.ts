/** Which stream may speak: a voice says one thing at a time. */
import { MAX_RECORDING_MS, type PacerStats } from './pacer';
import type { QueueReport } from './rate-control';
import { FRAME_MS, type SoundPacket } from './sound-packet';
import type { Spoken, VoiceStream } from './voice-stream';

/** Another live stream may speak once the one before has been silent for so long. */
const HELD_MS = 1000;

export class SpeakingOrder {
  private holder: { readonly stream: VoiceStream; readonly until: number } | undefined;
  /** Packets of recordings given to the relay. */
  private recorded = 0;
  /** Of recordings, at the relay and on the way there. */
  private recordingMs = 0;
  /** Ten minutes wait: until all of them are spoken no more is taken, so that a recording has one end and no holes. */
  private isFull = false;

  /** Whether a recording would be refused. */
  get refusesRecordings(): boolean {
    return this.isFull;
  }

  /** Whether `packets` may go to the relay. */
  admit(packets: readonly SoundPacket[], from: VoiceStream, now: number): Spoken {
    if (packets.length === 0) return 'spoken';
    if (!from.isLive) {
      this.isFull ||= this.recordingMs >= MAX_RECORDING_MS;
      if (this.isFull) return 'too-long';
      this.recorded += packets.length;
      this.recordingMs += packets.length * FRAME_MS;
      return 'spoken';
    }
    if (this.holder && this.holder.stream !== from && now < this.holder.until) return 'other-speaks';
    this.holder = { stream: from, until: now + HELD_MS };
    return 'spoken';
  }

  /** The live stream that speaks follows the queue. */
  onReport(report: QueueReport & Pick<PacerStats, 'recorded' | 'recordingMs'>): void {
    const onTheWay = this.recorded - report.recorded;
    this.recordingMs = report.recordingMs + onTheWay * FRAME_MS;
    if (this.recordingMs === 0) this.isFull = false;
    this.holder?.stream.onReport(report);
  }

  /** Whether what `stream` said was the last that was said: the speaking ends with it. */
  end(stream: VoiceStream): boolean {
    if (!stream.isLive) return true;
    if (this.holder?.stream !== stream) return false;
    this.holder = undefined;
    return true;
  }

  /** A new relay has nothing. */
  reset(): void {
    this.holder = undefined;
    this.recorded = 0;
    this.recordingMs = 0;
    this.isFull = false;
  }
}
