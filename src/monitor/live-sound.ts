/** A wire's sound as PCM in real time, for those who look or listen: Opus is decoded, recordings are played. */
import type { Clock } from '../audio/clock';
import { OrgoError } from '../audio/errors';
import { isPcmFrame, type AudioFrame, type PcmFrame } from '../audio/frame';
import { FlowSource } from '../capture/flow-source';
import { OpusDecoder } from '../opus/decoder';

/** What comes in longer pieces is played: a listener's buffer is shorter, and a level would jump. ms */
const MAX_LIVE_MS = 100;

/** Sound, and whether someone speaks in it. The mark goes through the source as every property of a frame does. */
export type MarkedFrame = PcmFrame & { readonly speech?: boolean };

export class LiveSound {
  private readonly source: FlowSource;
  private decoder: OpusDecoder | undefined;

  constructor(clock: Clock, onFrame: (frame: MarkedFrame) => void) {
    this.source = new FlowSource(clock, MAX_LIVE_MS);
    this.source.start({ onFrame, onState: () => undefined });
  }

  /** What can't be decoded counts as lost: whoever sent it was told already. */
  push(frame: AudioFrame, timed: boolean, speech: boolean): void {
    for (const pcm of this.decode(frame)) {
      if (pcm.samples === 0) continue;
      const marked: MarkedFrame = { ...pcm, speech };
      this.source.push(marked, timed);
    }
  }

  close(): void {
    this.source.stop();
    this.decoder?.close();
    this.decoder = undefined;
  }

  private decode(frame: AudioFrame): readonly PcmFrame[] {
    if (isPcmFrame(frame)) return [frame];
    const { sampleRate, channels, encoding } = frame.format;
    if (encoding !== 'opus') return [];
    try {
      this.decoder ??= new OpusDecoder({ sampleRate, channels });
      return this.decoder.push({ ...frame, format: { encoding, sampleRate, channels } });
    } catch (error) {
      if (error instanceof OrgoError) return [];
      throw error;
    }
  }
}
