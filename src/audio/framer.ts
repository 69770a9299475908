/** Cuts PCM of any lengths into frames of one length, each with its place on the sample clock. */
import { bytesPerSample, msOfSamples, type PcmFormat, type PcmEncoding } from './format';
import { sliceFrame, type PcmFrame, type Transform } from './frame';

/**
 * Emits frames of exactly `frameSamples`; a gap or a flush lets the shorter rest go first.
 * The memory of a frame that needs no joining is the input's own; nothing is copied then.
 */
export class Framer implements Transform<PcmEncoding, PcmEncoding> {
  private held: PcmFrame[] = [];
  private heldSamples = 0;

  constructor(
    readonly format: PcmFormat,
    readonly frameSamples: number,
  ) {}

  push(frame: PcmFrame): PcmFrame[] {
    const out = frame.gap > 0 ? this.flush() : [];
    if (frame.samples === 0) return out;
    let start = 0;
    while (this.heldSamples + frame.samples - start >= this.frameSamples) {
      const end = start + this.frameSamples - this.heldSamples;
      this.hold(start === 0 && end === frame.samples ? frame : sliceFrame(frame, start, end));
      out.push(this.join());
      start = end;
    }
    if (start < frame.samples) this.hold(start === 0 ? frame : sliceFrame(frame, start, frame.samples));
    return out;
  }

  flush(): PcmFrame[] {
    return this.heldSamples > 0 ? [this.join()] : [];
  }

  close(): void {
    this.held = [];
    this.heldSamples = 0;
  }

  /** Milliseconds of sound that wait for the rest of their frame. */
  get heldMs(): number {
    return msOfSamples(this.format.sampleRate, this.heldSamples);
  }

  private hold(frame: PcmFrame): void {
    this.held.push(frame);
    this.heldSamples += frame.samples;
  }

  private join(): PcmFrame {
    const [first, ...rest] = this.held;
    if (!first) throw new RangeError('Framer.join: nothing is held');
    const joined: PcmFrame =
      rest.length === 0
        ? first
        : {
            ...first,
            data: Buffer.concat(
              this.held.map((part) => part.data),
              this.heldSamples * bytesPerSample(this.format),
            ),
            samples: this.heldSamples,
          };
    this.close();
    return joined;
  }
}
