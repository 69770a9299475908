/** Changes rate, channels, encoding, gain and frame length of a stream of PCM. */
import { OrgoError } from '../audio/errors';
import {
  bytesPerSample,
  formatText,
  sameFormat,
  samplesInMs,
  type PcmEncoding,
  type PcmFormat,
} from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { Framer } from '../audio/framer';
import { Runs } from '../audio/runs';
import type { Transform } from '../audio/transform';
import type { Kernel } from '../kernels/index';
import { Conversion } from './conversion';
import type { ClipCount } from './frame-writer';
import { parseSettings } from '../settings/read';
import { checkInput, RESAMPLER_SETTINGS, type ResamplerOptions, type ResamplerSettings } from './options';

export type { ResamplerOptions } from './options';
export type { Quality } from './presets';

/** One run: the conversion, and the frames that its sound is cut into. */
class ResampleRun implements Transform<PcmEncoding, PcmFrame> {
  readonly to: PcmFormat;
  /** Undefined where nothing changes: the input's own memory goes on. */
  readonly conversion: Conversion | undefined;
  private readonly framer: Framer | undefined;

  constructor(from: PcmFormat, settings: ResamplerSettings, kernel: Kernel | undefined, clips: ClipCount) {
    const { quality, gainDb, frameMs } = settings;
    this.to = {
      encoding: settings.encoding || from.encoding,
      sampleRate: settings.sampleRate ?? from.sampleRate,
      channels: settings.channels || from.channels,
    };
    const frameSamples = samplesInMs(this.to.sampleRate, frameMs);
    const gain = 10 ** (gainDb / 20);
    if (!sameFormat(from, this.to) || gain !== 1)
      this.conversion = new Conversion({ from, to: this.to, quality, gain, kernel, clips });
    if (frameSamples > 0) this.framer = new Framer(this.to, frameSamples);
  }

  push(frame: PcmFrame): PcmFrame[] {
    return this.framed(this.conversion ? this.conversion.push(frame) : frame);
  }

  flush(): PcmFrame[] {
    const out = this.framed(this.conversion?.finish());
    return this.framer ? out.concat(this.framer.flush()) : out;
  }

  close(): void {
    this.framer?.close();
  }

  private framed(frame: PcmFrame | undefined): PcmFrame[] {
    if (!frame) return [];
    return this.framer ? this.framer.push(frame) : [frame];
  }
}

/**
 * Outputs lie on the grid of the stream's first sample: output 0 belongs to input 0, and input `n` samples give
 * round(n · out / in). A `gap`, a jump in `position` or a change of format flushes, and the stream goes on after it.
 */
export class Resampler implements Transform<PcmEncoding, PcmFrame> {
  private readonly clips: ClipCount = { clipped: 0 };
  private readonly runs: Runs<PcmEncoding, PcmFrame, ResampleRun>;
  private latest: ResampleRun | undefined;
  /** Clipped samples that `onClip` was called with. */
  private reported = 0;

  /**
   * @param kernel for tests; else the fastest that there is
   * @throws OrgoError `ORGO_BAD_SETTING`
   */
  constructor(
    private readonly options: ResamplerOptions = {},
    kernel?: Kernel,
  ) {
    const settings = parseSettings(RESAMPLER_SETTINGS, { ...options });
    this.runs = new Runs({
      start: ({ format }) => (this.latest = new ResampleRun(format, settings, kernel, this.clips)),
    });
  }

  /** Samples, counted in each channel, that were beyond full scale and went out clipped. */
  get clipped(): number {
    return this.clips.clipped;
  }

  /** What comes out; undefined before the first frame. */
  get outputFormat(): PcmFormat | undefined {
    return this.latest?.to;
  }

  /** What the filter adds for the format that came last, ms. */
  get delayMs(): number {
    return this.latest?.conversion?.delayMs ?? 0;
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken; nothing is changed by it */
  push(frame: PcmFrame): PcmFrame[] {
    if (frame.samples > 0) checkFrame(frame);
    return this.counted(this.runs.push(frame));
  }

  flush(): PcmFrame[] {
    return this.counted(this.runs.flush());
  }

  private counted(out: PcmFrame[]): PcmFrame[] {
    const more = this.clips.clipped - this.reported;
    this.reported = this.clips.clipped;
    if (more > 0) this.options.onClip?.(more);
    return out;
  }

  close(): void {
    this.runs.close();
    this.latest = undefined;
  }
}

function checkFrame(frame: PcmFrame): void {
  checkInput(frame.format);
  const wanted = frame.samples * bytesPerSample(frame.format);
  if (frame.data.length === wanted) return;
  throw new OrgoError(
    'ORGO_BAD_INPUT',
    `A frame of ${frame.samples} samples of ${formatText(frame.format)} has ${frame.data.length} bytes, not ${wanted}`,
  );
}
