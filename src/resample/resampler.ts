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
import type { PcmFrame, Transform } from '../audio/frame';
import { Framer } from '../audio/framer';
import type { Kernel } from '../kernels/index';
import { Conversion } from './conversion';
import { checkInput, checkOptions, type ResamplerOptions } from './options';

export type { ResamplerOptions } from './options';
export type { Quality } from './presets';

/** What is set up for the format that comes now. */
interface Setup {
  readonly from: PcmFormat;
  readonly to: PcmFormat;
  /** Undefined where nothing changes: the input's own memory goes on. */
  readonly conversion: Conversion | undefined;
  readonly framer: Framer | undefined;
}

/**
 * Outputs lie on the grid of the stream's first sample: output 0 belongs to input 0, and input `n` samples give
 * round(n · out / in). A `gap`, a jump in `position` or a change of format flushes, and the stream goes on behind.
 */
export class Resampler implements Transform<PcmEncoding, PcmEncoding> {
  private setup: Setup | undefined;
  /** Where the next frame begins if nothing is missing; undefined where the next one starts over. */
  private expected: number | undefined;
  private clippedBefore = 0;

  /**
   * @param kernel for tests; else the fastest that there is
   * @throws OrgoError `ORGO_BAD_SETTING`
   */
  constructor(
    private readonly options: ResamplerOptions = {},
    private readonly kernel?: Kernel,
  ) {
    checkOptions(options);
  }

  /** Samples, counted in each channel, that were beyond full scale and went out clipped. */
  get clipped(): number {
    return this.clippedBefore + (this.setup?.conversion?.clipped ?? 0);
  }

  /** What comes out; undefined before the first frame. */
  get outputFormat(): PcmFormat | undefined {
    return this.setup?.to;
  }

  /** What the filter adds for the format that comes now, ms. */
  get delayMs(): number {
    return this.setup?.conversion?.delayMs ?? 0;
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken; nothing is changed by it */
  push(frame: PcmFrame): PcmFrame[] {
    if (frame.samples === 0) return frame.gap > 0 ? this.flush() : [];
    checkInput(frame.format);
    checkLength(frame);
    const out = this.isBorder(frame) ? this.flush() : [];
    const setup = this.setupFor(frame.format);
    this.expected = frame.position + frame.samples;
    const converted = setup.conversion ? setup.conversion.push(frame) : frame;
    return converted ? append(out, setup, converted) : out;
  }

  flush(): PcmFrame[] {
    const { setup } = this;
    this.expected = undefined;
    if (!setup) return [];
    const rest = setup.conversion?.finish();
    const out = rest ? append([], setup, rest) : [];
    return setup.framer ? out.concat(setup.framer.flush()) : out;
  }

  close(): void {
    this.clippedBefore = this.clipped;
    this.setup = undefined;
    this.expected = undefined;
  }

  private isBorder(frame: PcmFrame): boolean {
    if (this.expected === undefined || !this.setup) return false;
    return frame.gap > 0 || frame.position !== this.expected || !sameFormat(frame.format, this.setup.from);
  }

  private setupFor(from: PcmFormat): Setup {
    if (this.setup && sameFormat(this.setup.from, from)) return this.setup;
    this.clippedBefore = this.clipped;
    const { quality = 'high', gainDb = 0, frameMs = 0 } = this.options;
    const to: PcmFormat = {
      encoding: this.options.encoding ?? from.encoding,
      sampleRate: this.options.sampleRate ?? from.sampleRate,
      channels: this.options.channels ?? from.channels,
    };
    const frameSamples = samplesInMs(to.sampleRate, frameMs);
    this.setup = {
      from,
      to,
      conversion:
        sameFormat(from, to) && gainDb === 0
          ? undefined
          : new Conversion({ from, to, quality, gain: 10 ** (gainDb / 20), kernel: this.kernel }),
      framer: frameSamples > 0 ? new Framer(to, frameSamples) : undefined,
    };
    return this.setup;
  }
}

function append(out: PcmFrame[], setup: Setup, frame: PcmFrame): PcmFrame[] {
  if (!setup.framer) {
    out.push(frame);
    return out;
  }
  return out.concat(setup.framer.push(frame));
}

function checkLength(frame: PcmFrame): void {
  const wanted = frame.samples * bytesPerSample(frame.format);
  if (frame.data.length === wanted) return;
  throw new OrgoError(
    'ORGO_BAD_INPUT',
    `A frame of ${frame.samples} samples of ${formatText(frame.format)} has ${frame.data.length} bytes, not ${wanted}`,
  );
}
