/** Cuts a stream into unbroken runs of one format, and gives each run a fresh transform. */
import { sameFormat, type AudioFormat, type Encoding } from './format';
import type { AudioFrame } from './frame';
import type { Transform } from './transform';

/** A transform that never meets a border: all its frames are of one format, and follow each other. */
export interface RunsOptions<In extends Encoding, Out, Run extends Transform<In, Out>> {
  /**
   * Makes the transform of a run. May throw: then the run has not begun.
   * @param first frame of the run; it is pushed next
   * @param before the run that this frame has just ended, flushed and closed
   */
  start(first: AudioFrame<In>, before: Run | undefined): Run;
  /** Whether `run` takes this frame too; where left out, a gap, a jump and another format are borders. */
  continues?(run: Run, frame: AudioFrame<In>): boolean;
  /** A gap of up to this many samples is no border: the run fills it itself. 0 */
  longestFilledGap?(format: AudioFormat<In>): number;
}

export class Runs<In extends Encoding, Out, Run extends Transform<In, Out>> implements Transform<In, Out> {
  private run: Run | undefined;
  private format: AudioFormat<In> | undefined;
  /** Where the next frame begins if nothing is missing. */
  private expected = 0;

  constructor(private readonly options: RunsOptions<In, Out, Run>) {}

  /** The run that has begun and is not over. */
  get current(): Run | undefined {
    return this.run;
  }

  /** A frame without a payload brings no sound; its gap is a border all the same. */
  push(frame: AudioFrame<In>): Out[] {
    if (frame.data.length === 0) return frame.gap > 0 ? this.flush() : [];
    const ended = this.run && !this.goesOn(this.run, frame) ? this.run : undefined;
    const rest = ended ? this.flush() : undefined;
    this.run ??= this.options.start(frame, ended);
    const out = this.run.push(frame);
    // Only now: a frame that was refused changes nothing.
    this.format = frame.format;
    this.expected = frame.position + frame.samples;
    return rest && rest.length > 0 ? rest.concat(out) : out;
  }

  flush(): Out[] {
    const { run } = this;
    this.run = undefined;
    if (!run) return [];
    try {
      return run.flush();
    } finally {
      run.close();
    }
  }

  close(): void {
    this.run?.close();
    this.run = undefined;
  }

  private goesOn(run: Run, frame: AudioFrame<In>): boolean {
    if (this.options.continues) return this.options.continues(run, frame);
    const { format, gap, position } = frame;
    if (position !== this.expected + gap) return false;
    if (gap > 0 && gap > (this.options.longestFilledGap?.(format) ?? 0)) return false;
    return this.format !== undefined && sameFormat(format, this.format);
  }
}
