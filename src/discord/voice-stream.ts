/** One stream of sound on its way to a Discord voice. */
import { OrgoError } from '../audio/errors';
import { msOfSamples } from '../audio/format';
import type { AudioFrame } from '../audio/frame';
import type { QueueReport } from './rate-control';
import { SoundInput, type SoundInputSettings } from './sound-input';
import type { SoundPacket } from './sound-packet';

/** What became of packets: `not-connected` and `other-speaks` drop them, `too-long` refuses a recording's rest. */
export type Spoken = 'spoken' | 'not-connected' | 'other-speaks' | 'too-long';

export interface Speaker {
  /** Ten minutes of recordings wait. */
  readonly refusesRecordings: boolean;
  speak(packets: readonly SoundPacket[], from: VoiceStream): Spoken;
  ended(stream: VoiceStream): void;
}

export class VoiceStream {
  private readonly input: SoundInput;
  private endMs = 0;
  private isOver = false;
  private refused = false;

  constructor(
    settings: SoundInputSettings,
    private readonly speaker: Speaker,
  ) {
    this.isLive = settings.live;
    this.input = new SoundInput(settings);
  }

  readonly isLive: boolean;

  /**
   * Takes PCM of any rate, or Opus packets.
   * @throws OrgoError `ORGO_BAD_INPUT` for what can't be spoken, and once where ten minutes of recordings wait; the
   * stream goes on with the next frame
   */
  push(frame: AudioFrame): void {
    if (this.isOver || frame.data.length === 0) return;
    this.endMs = msOfSamples(frame.format.sampleRate, frame.position + frame.samples);
    // What is refused anyway is not encoded first: that may be hours.
    if (!this.isLive && this.speaker.refusesRecordings) this.refuse();
    else this.pass(this.input.push(frame));
  }

  /** The queue's state, once a second. */
  onReport(report: QueueReport): void {
    this.input.onReport(report);
  }

  /** The source has ended: the rest is spoken, then the speaking ends at once. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    try {
      this.pass(this.input.flush(this.endMs));
    } finally {
      this.input.close();
      this.speaker.ended(this);
    }
  }

  /** Frees it; what it holds is not spoken. */
  close(): void {
    this.isOver = true;
    this.input.close();
  }

  private pass(packets: readonly SoundPacket[]): void {
    if (packets.length === 0) return;
    if (this.speaker.speak(packets, this) === 'too-long') this.refuse();
    else this.refused = false;
  }

  /** Said once, not for each piece. */
  private refuse(): void {
    if (this.refused) return;
    this.refused = true;
    throw new OrgoError(
      'ORGO_BAD_INPUT',
      'Recordings of more than 10 minutes wait: the rest is left out, until all of them are spoken. Send it later, or as live sound (msg.audio.time)',
    );
  }
}
