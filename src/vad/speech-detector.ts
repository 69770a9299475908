/** Finds speech in one stream: gates its sound, cuts out its utterances, and reports where they begin and end. */
import { msOfSamples, sameFormat, type PcmEncoding } from '../audio/format';
import type { AudioFrame, PcmFrame } from '../audio/frame';
import { Runs } from '../audio/runs';
import type { Transform } from '../audio/transform';
import type { SpeechEmission, SpeechSettings } from './speech';
import { SpeechRun } from './speech-run';
import { WindowClassifier } from './window-classifier';

export interface SpeechDetectorOptions {
  /** What every utterance's id begins with, so that ids of several streams differ; empty. */
  readonly idPrefix?: string;
  /** Makes of an utterance what is emitted; left out: it stays as it is. */
  readonly packUtterance?: ((utterance: PcmFrame) => AudioFrame) | undefined;
  /** Called when speech begins or is over. */
  readonly onChange?: () => void;
}

/**
 * Takes PCM of any rate, channels and encoding; the sound that it gives is that of the input, sample for sample.
 * The sound, the utterances and the events are the same however the input is cut; only where everything passes,
 * the frames are the input's own. A `gap`, a jump in `position` or a change of format ends what is open, with the
 * reason `flush`; the stream goes on after it.
 */
export class SpeechDetector implements Transform<PcmEncoding, SpeechEmission> {
  private readonly classifier = new WindowClassifier();
  private readonly runs: Runs<PcmEncoding, SpeechEmission, SpeechRun>;

  constructor(settings: SpeechSettings, options: SpeechDetectorOptions = {}) {
    const {
      idPrefix = '',
      packUtterance = (frame: PcmFrame): AudioFrame => frame,
      onChange = () => undefined,
    } = options;
    this.runs = new Runs({
      start: (first, before) => {
        const sentTo = sentBefore(first, before);
        const { classifier } = this;
        return new SpeechRun(first.format, first.position, {
          ...{ settings, idPrefix, packUtterance, classifier, sentTo, onChange },
        });
      },
    });
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken */
  push(frame: PcmFrame): SpeechEmission[] {
    return this.runs.push(frame);
  }

  /** Ends what is open, with the reason `flush`, and returns it. The next frame starts the stream over. */
  flush(): SpeechEmission[] {
    return this.runs.flush();
  }

  close(): void {
    this.runs.close();
  }

  /** Whether someone speaks. */
  get speaking(): boolean {
    return this.runs.current?.speaking ?? false;
  }

  /** Milliseconds of sound that are held. */
  get heldMs(): number {
    const { current } = this.runs;
    return current ? msOfSamples(current.format.sampleRate, current.held) : 0;
  }
}

/** Up to where the sound before the frame was sent: what was left out there is part of the next gap. */
function sentBefore(first: PcmFrame, before: SpeechRun | undefined): number {
  const sentTo = before && sameFormat(before.format, first.format) ? before.sentTo : Infinity;
  return Math.min(sentTo, first.position - first.gap);
}
