/** Turns sound of any format into pieces of what a service takes. */
import type { Clock } from '../audio/clock';
import { sameFormat, samplesInMs, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { Framer } from '../audio/framer';
import { Resampler } from '../resample/resampler';

/** A piece that is not whole waits so long for its rest. */
const HOLD_MS = 40;

export interface SoundInputOptions {
  /** What the service takes. */
  readonly to: PcmFormat;
  readonly pieceMs: number;
  /** A shorter piece leaves only with {@link SoundInput.flush}. */
  readonly minPieceMs: number;
  readonly clock: Clock;
  /** Is given each piece, and the format of the input that it was made of. */
  readonly take: (piece: PcmFrame, format: PcmFormat) => void;
  /** Called after pieces left later than the sound that they are made of came. */
  readonly onLate: () => void;
}

export class SoundInput {
  private readonly resampler: Resampler;
  private readonly framer: Framer;
  private cancelHold: (() => void) | undefined;
  /** When a piece left last. */
  private gaveAt = 0;
  private format: PcmFormat | undefined;

  constructor(private readonly options: SoundInputOptions) {
    const { to, pieceMs } = options;
    this.resampler = new Resampler({ sampleRate: to.sampleRate, channels: 1, encoding: to.encoding });
    this.framer = new Framer(to, samplesInMs(to.sampleRate, pieceMs));
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` */
  push(frame: PcmFrame): void {
    if (!this.format || !sameFormat(this.format, frame.format)) {
      this.flush();
      this.format = frame.format;
    }
    const { format } = this;
    this.pass(this.resampler.push(frame), format);
    if (this.framer.heldMs > this.options.minPieceMs) this.watch();
  }

  /** The sound that came ends here: all of it leaves. */
  flush(): void {
    const { format } = this;
    if (!format) return;
    this.pass(this.resampler.flush(), format);
    this.release(format);
  }

  close(): void {
    this.cancelHold?.();
    this.resampler.close();
    this.framer.close();
  }

  /** A timer for each frame would cost more than one that looks when a piece left last. */
  private watch(): void {
    const { clock } = this.options;
    this.cancelHold ??= clock.after(Math.max(1, this.gaveAt + HOLD_MS - clock.now()), () => {
      this.cancelHold = undefined;
      if (this.framer.heldMs <= this.options.minPieceMs) return;
      if (clock.now() < this.gaveAt + HOLD_MS) {
        this.watch();
        return;
      }
      if (this.format) this.release(this.format);
      this.options.onLate();
    });
  }

  private pass(frames: readonly PcmFrame[], format: PcmFormat): void {
    for (const frame of frames) for (const piece of this.framer.push(frame)) this.give(piece, format);
  }

  private release(format: PcmFormat): void {
    for (const piece of this.framer.flush()) this.give(piece, format);
  }

  private give(piece: PcmFrame, format: PcmFormat): void {
    this.gaveAt = this.options.clock.now();
    this.options.take(piece, format);
  }
}
