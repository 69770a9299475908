/** One stream of sound on its way to a Discord voice. */
import { OrgoError } from '../audio/errors';
import { msOfSamples } from '../audio/format';
import type { AudioFrame } from '../audio/frame';
import type { QueueReport } from './rate-control';
import { SoundInput, type SoundInputSettings } from './sound-input';
import type { SoundPacket } from './sound-packet';

/** What became of packets: `not-connected` and `other-speaks` drop them, `too-long` refuses a recording's rest. */
export type Spoken = 'spoken' | 'not-connected' | 'other-speaks' | 'too-long';

interface Speaker {
  speak(packets: readonly SoundPacket[], from: VoiceStream): Spoken;
  ended(stream: VoiceStream): void;
}

export class VoiceStream {
  private readonly input: SoundInput;
  private endMs = 0;
  private isOver = false;
  private refused = false;
  /** Packets that went nowhere: no channel, or another stream had the floor. */
  dropped = 0;

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
   * @throws OrgoError `ORGO_BAD_INPUT` for what can't be spoken, and once for a recording beyond ten minutes; the
   * stream goes on with the next frame
   */
  push(frame: AudioFrame): void {
    if (this.isOver || frame.data.length === 0) return;
    this.endMs = msOfSamples(frame.format.sampleRate, frame.position + frame.samples);
    this.pass(this.input.push(frame));
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
    const spoken = this.speaker.speak(packets, this);
    if (spoken === 'spoken') return;
    this.dropped += packets.length;
    if (spoken !== 'too-long' || this.refused) return;
    this.refused = true;
    throw new OrgoError(
      'ORGO_BAD_INPUT',
      'A recording of more than 10 minutes came: its rest is left out. Send it in parts, or as live sound (msg.audio.time)',
    );
  }
}
