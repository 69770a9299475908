/** A source that makes its sound itself: a frame each 20 ms of the passed clock. */
import type { Clock } from '../audio/clock';
import { samplesInMs, type PcmFormat } from '../audio/format';
import type { Source, SourceSink } from './source';

const FRAME_MS = 20;
/** When we are called this late, what was due in between counts as missed. */
const MAX_LATE_MS = 100;

export interface PacedSourceOptions {
  readonly clock: Clock;
  readonly format: PcmFormat;
  /** What the status calls it. */
  readonly device: string;
  /** The sound of `samples` samples per channel from `position` on. */
  read(position: number, samples: number): Buffer;
}

export class PacedSource implements Source {
  private readonly frameSamples: number;
  private cancel: (() => void) | undefined;

  constructor(private readonly options: PacedSourceOptions) {
    this.frameSamples = samplesInMs(options.format.sampleRate, FRAME_MS);
  }

  start(sink: SourceSink): void {
    this.stop();
    const { clock, device } = this.options;
    const startedAt = clock.now();
    let sent = 0;
    let missed = 0;
    let running = true;
    const step = (): void => {
      const due = Math.floor((clock.now() - startedAt) / FRAME_MS);
      if (due - sent > MAX_LATE_MS / FRAME_MS) {
        missed = due - sent - 1;
        sent += missed;
      }
      // The receiver of a frame may stop us.
      while (running && sent < due) {
        this.emit(sink, sent++, startedAt, missed);
        missed = 0;
      }
      if (running) cancelTimer = clock.after(startedAt + (sent + 1) * FRAME_MS - clock.now(), step);
    };
    let cancelTimer = clock.after(FRAME_MS, step);
    this.cancel = () => {
      running = false;
      cancelTimer();
    };
    sink.onState({ kind: 'running', device, muted: false });
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private emit(sink: SourceSink, index: number, startedAt: number, missed: number): void {
    const { clock, format } = this.options;
    const { frameSamples: samples } = this;
    const position = index * samples;
    sink.onFrame({
      format,
      data: this.options.read(position, samples),
      samples,
      position,
      time: startedAt + index * FRAME_MS + clock.epochOffset(),
      gap: missed * samples,
      latencyMs: 0,
    });
  }
}
