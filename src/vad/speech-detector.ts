/** Finds speech in one stream: gates its sound, cuts out its utterances, and tells where they begin and end. */
import { msOfSamples, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { Listener, type Judgement } from './listener';
import type { SpeechOutput, SpeechSettings } from './speech';
import { SpeechRun } from './speech-run';

export interface SpeechDetectorOptions {
  /** What every utterance's id begins with, so that ids of several streams differ; empty. */
  readonly idPrefix?: string;
}

/**
 * Takes frames of one format; the sound that it gives is that of the input, sample for sample. The sound, the
 * utterances and the events are the same however the input is cut; only where everything passes the frames
 * are the input's own.
 */
export class SpeechDetector {
  private run: SpeechRun | undefined;
  private readonly listener: Listener;
  private out: SpeechOutput[] = [];

  constructor(
    private readonly format: PcmFormat,
    private readonly settings: SpeechSettings,
    private readonly options: SpeechDetectorOptions = {},
  ) {
    this.listener = new Listener({ push: (frame) => [frame], flush: () => [], close: () => undefined });
  }

  /** Takes the next frame. A `gap` ends what is open, with the reason `flush`; the sound goes on behind it. */
  push(frame: PcmFrame): SpeechOutput[] {
    const sentTo = frame.gap > 0 && this.run ? this.endRun(this.run) : frame.position - frame.gap;
    if (frame.samples > 0) {
      this.run ??= new SpeechRun(this.format, frame.position, {
        settings: this.settings,
        idPrefix: this.options.idPrefix ?? '',
        listenerMs: 0,
        sentTo,
      });
      this.run.append(frame);
      this.listener.push(frame, this.judge);
      if (this.settings.gate === 'pass') this.out.push({ kind: 'audio', frame, speech: this.run.speech });
    }
    return this.take();
  }

  /** Ends what is open, with the reason `flush`, and returns it. The next frame starts the stream over. */
  flush(): SpeechOutput[] {
    if (this.run) this.endRun(this.run);
    return this.take();
  }

  /** Frees what is held without returning it. */
  close(): void {
    this.run = undefined;
    this.listener.close();
  }

  /** Milliseconds of sound that are held. */
  get heldMs(): number {
    return msOfSamples(this.format.sampleRate, this.run?.held ?? 0);
  }

  private readonly judge = (judgement: Judgement): void => {
    if (this.run) this.out.push(...this.run.judge(judgement));
  };

  /** Returns the position behind the last sample sent. */
  private endRun(run: SpeechRun): number {
    this.listener.flush(this.judge);
    this.out.push(...run.end());
    this.run = undefined;
    return run.sentTo;
  }

  private take(): SpeechOutput[] {
    const { out } = this;
    this.out = [];
    return out;
  }
}
