/** Which stream may speak: a voice says one thing at a time. */
import { MAX_RECORDING_MS } from './pacer';
import type { QueueReport } from './rate-control';
import { FRAME_MS, type SoundPacket } from './sound-packet';
import type { Spoken, VoiceStream } from './voice-stream';

/** Another live stream may speak once the one before has been silent for so long. */
const HELD_MS = 1000;

export class SpeakingOrder {
  private holder: { readonly stream: VoiceStream; readonly until: number } | undefined;
  /** Of recordings, at the relay and on the way there. */
  private recordingMs = 0;

  /** Whether `packets` may go to the relay. */
  admit(packets: readonly SoundPacket[], from: VoiceStream, now: number): Spoken {
    if (packets.length === 0) return 'spoken';
    if (!from.isLive) {
      if (this.recordingMs >= MAX_RECORDING_MS) return 'too-long';
      this.recordingMs += packets.length * FRAME_MS;
      return 'spoken';
    }
    if (this.holder && this.holder.stream !== from && now < this.holder.until) return 'other-speaks';
    this.holder = { stream: from, until: now + HELD_MS };
    return 'spoken';
  }

  /** The live stream that speaks follows the queue. */
  onReport(report: QueueReport & { readonly recordingMs: number }): void {
    this.recordingMs = report.recordingMs;
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
    this.recordingMs = 0;
  }
}
