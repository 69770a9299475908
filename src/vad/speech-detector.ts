/** Finds speech in one stream: gates its sound, cuts out its utterances, and tells where they begin and end. */
import { msOfSamples, sameFormat, samplesInMs } from '../audio/format';
import { sliceFrame, type PcmFrame } from '../audio/frame';
import { Listener, type Judgement } from './listener';
import type { SpeechOutput, SpeechSettings } from './speech';
import { SpeechRun } from './speech-run';

/** A longer frame is worked off in slices, so that what is held of it is bounded. */
const SLICE_MS = 1000;

export interface SpeechDetectorOptions {
  /** What every utterance's id begins with, so that ids of several streams differ; empty. */
  readonly idPrefix?: string;
}

/**
 * Takes PCM of any rate, channels and encoding; the sound that it gives is that of the input, sample for sample.
 * The sound, the utterances and the events are the same however the input is cut; only where everything passes,
 * the frames are the input's own.
 */
export class SpeechDetector {
  private run: SpeechRun | undefined;
  private readonly listener = new Listener();

  constructor(
    private readonly settings: SpeechSettings,
    private readonly options: SpeechDetectorOptions = {},
  ) {}

  /**
   * Takes the next frame. A `gap`, a jump in `position` or a change of format ends what is open, with the reason
   * `flush`; the stream goes on behind it.
   * @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken
   */
  push(frame: PcmFrame): SpeechOutput[] {
    const ended = this.run && isBorder(this.run, frame) ? this.run : undefined;
    const out = ended ? this.flush() : [];
    const slice = samplesInMs(frame.format.sampleRate, SLICE_MS);
    for (let at = 0; at < frame.samples; at += slice) {
      this.take(sliceFrame(frame, at, Math.min(frame.samples, at + slice)), ended, out);
    }
    if (this.settings.gate === 'pass' && frame.samples > 0) {
      out.push({ kind: 'audio', frame, speech: this.run?.speech });
    }
    return out;
  }

  /** Ends what is open, with the reason `flush`, and returns it. The next frame starts the stream over. */
  flush(): SpeechOutput[] {
    const { run } = this;
    if (!run) return [];
    this.run = undefined;
    const out: SpeechOutput[] = [];
    judge(run, this.listener.flush(), out);
    return out.concat(run.finish());
  }

  /** Frees what is held without returning it. May be called twice. */
  close(): void {
    this.run = undefined;
    this.listener.close();
  }

  /** Milliseconds of sound that are held. */
  get heldMs(): number {
    return this.run ? msOfSamples(this.run.format.sampleRate, this.run.held) : 0;
  }

  private take(frame: PcmFrame, ended: SpeechRun | undefined, out: SpeechOutput[]): void {
    const judgements = this.listener.push(frame);
    this.run ??= this.start(frame, ended);
    this.run.append(frame);
    judge(this.run, judgements, out);
  }

  private start(frame: PcmFrame, before: SpeechRun | undefined): SpeechRun {
    const continued = before && sameFormat(before.format, frame.format) ? before.sentTo : Infinity;
    return new SpeechRun(frame.format, frame.position, {
      settings: this.settings,
      idPrefix: this.options.idPrefix ?? '',
      listenerMs: this.listener.delayMs,
      sentTo: Math.min(continued, frame.position - frame.gap),
    });
  }
}

function isBorder(run: SpeechRun, frame: PcmFrame): boolean {
  if (frame.gap > 0) return true;
  return frame.samples > 0 && (frame.position !== run.end || !sameFormat(frame.format, run.format));
}

function judge(run: SpeechRun, judgements: readonly Judgement[], out: SpeechOutput[]): void {
  for (const judgement of judgements) {
    for (const one of run.judge(judgement)) out.push(one);
  }
}
