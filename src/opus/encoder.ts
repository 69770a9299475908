/** PCM of any rate to Opus packets of one length. */
import { samplesInMs, type PcmEncoding } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { Runs } from '../audio/runs';
import type { Transform } from '../audio/transform';
import { checkInput } from '../resample/options';
import { chooseLibrary } from './choose-library';
import { EncoderRun, type OpusFrame } from './encoder-run';
import type { OpusLibrary } from './library';
import { DEFAULT_ENCODER_SETTINGS, mergeEncoderSettings, type OpusEncoderSettings } from './settings';

export { opusRateFor, type OpusFrame } from './encoder-run';

/**
 * A packet's `position`, `time` and `samples` are those of the input that went into it, so they add up to exactly
 * what came; the decoder takes `preSkip` off. At a flush the last frame is padded with silence, and as many more
 * packets follow, with 0 `samples`, as the look-ahead needs to come out. A gap, a jump in `position` or a change of
 * format flushes, and a fresh encoder goes on after it.
 */
export class OpusEncoder implements Transform<PcmEncoding, OpusFrame> {
  private readonly runs: Runs<PcmEncoding, OpusFrame, EncoderRun>;
  private current: OpusEncoderSettings;

  /**
   * @param filledMs a gap of up to this much is encoded as silence, and flushes nothing
   * @throws OrgoError `ORGO_BAD_SETTING`, or `ORGO_OPUS_FAILED` where no library loads
   */
  constructor(
    settings: Partial<OpusEncoderSettings> = {},
    library: OpusLibrary = chooseLibrary(),
    filledMs = 0,
  ) {
    this.current = mergeEncoderSettings(DEFAULT_ENCODER_SETTINGS, settings);
    this.runs = new Runs({
      start: ({ format }) => new EncoderRun(format, this.current, library),
      longestFilledGap: ({ sampleRate }) => samplesInMs(sampleRate, filledMs),
    });
  }

  get settings(): OpusEncoderSettings {
    return this.current;
  }

  /**
   * Changes settings for all that is encoded from now on. A change of `application` flushes, since an encoder keeps
   * it for life; a shorter `frameMs` may complete a frame: what comes out then is returned.
   * @throws OrgoError `ORGO_BAD_SETTING`, and nothing is changed
   */
  configure(changes: Partial<OpusEncoderSettings>): OpusFrame[] {
    const before = this.current;
    const after = mergeEncoderSettings(before, changes);
    const out = after.application === before.application ? [] : this.flush();
    this.current = after;
    return this.runs.current?.configure(after) ?? out;
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken; nothing is changed by it */
  push(frame: PcmFrame): OpusFrame[] {
    if (frame.samples > 0) checkInput(frame.format);
    return this.runs.push(frame);
  }

  flush(): OpusFrame[] {
    return this.runs.flush();
  }

  close(): void {
    this.runs.close();
  }
}
