/** One stream of PCM to the bytes of a file or a broadcast, as they are made. */
import { OrgoError } from '../audio/errors';
import {
  formatText,
  msOfSamples,
  sameFormat,
  samplesInMs,
  type AudioFormat,
  type PcmFormat,
} from '../audio/format';
import { sliceFrame, type AudioFrame, type PcmFrame } from '../audio/frame';
import { silence } from '../audio/samples';
import { encodeArguments, type FfmpegFormat } from './commands';
import { deliver, type Sink } from './delivery';
import { EncodedPlaces } from './encoded-places';
import { frameCounter } from './encoded-frames';
import { systemDependencies, type Dependencies } from './engine';
import { FfmpegRun } from './ffmpeg-run';
import { checkEncodeOptions, type EncodeOptions } from './options';
import { isOwnFormat, ownEncoder, type OwnEncoder } from './own-codecs';
import { encodeFailure } from './reasons';

/** A gap up to this long is filled with silence, so that a recording keeps its time; a longer one stays in `gap`. */
const MAX_FILLED_MS = 2000;
/** Encoding this much to Opus takes about 3 ms of CPU. */
const OWN_SLICE_MS = 200;

/** Its promises do not reject when ffmpeg fails: {@link ended} and {@link finish} resolve with the error. */
export class Encoding {
  /** Resolves when it is over: with what went wrong, or undefined. Once, and never rejects. */
  readonly ended: Promise<OrgoError | undefined>;
  private resolveEnded: (error: OrgoError | undefined) => void = () => undefined;
  private readonly options;
  private input: PcmFormat | undefined;
  private run: FfmpegRun | undefined;
  private places: EncodedPlaces | undefined;
  private own: OwnEncoder | undefined;
  private isOver = false;

  /**
   * @param sink takes the encoded bytes; a frame's place is that of the sound with which they begin
   * @throws OrgoError `ORGO_BAD_SETTING`
   */
  constructor(
    options: EncodeOptions,
    private readonly sink: Sink<AudioFrame>,
    private readonly dependencies: Dependencies = systemDependencies,
  ) {
    this.options = checkEncodeOptions(options);
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
  }

  /**
   * Takes the next frame; call it anew only when it has resolved. It resolves when there is room for more, also
   * when the encoding is over.
   * @throws OrgoError `ORGO_BAD_INPUT` for another format than the first frame's: that needs an encoding of its own
   */
  async write(frame: PcmFrame): Promise<void> {
    if (this.isOver || frame.samples === 0) return;
    this.checkFormat(frame.format);
    const isFirst = this.input === undefined;
    this.input ??= frame.format;
    const missing =
      !isFirst && msOfSamples(frame.format.sampleRate, frame.gap) <= MAX_FILLED_MS ? frame.gap : 0;
    if (missing > 0) await this.encode(missingBefore(frame));
    await this.encode(missing > 0 ? { ...frame, gap: 0 } : frame);
  }

  /** No more comes. Resolves when all bytes were taken, with what went wrong. */
  async finish(): Promise<OrgoError | undefined> {
    const { own } = this;
    if (own && !this.isOver) await this.attempt(() => own.flush());
    if (this.run) await this.run.finish();
    else this.end(undefined);
    return this.ended;
  }

  /** Drops everything that has not come out; resolves when nothing of it is left, no process either. */
  async abort(): Promise<void> {
    this.isOver = true;
    await this.run?.abort();
    this.end(undefined);
  }

  private checkFormat(format: PcmFormat): void {
    if (!this.input || sameFormat(format, this.input)) return;
    throw new OrgoError(
      'ORGO_BAD_INPUT',
      `${formatText(format)} came in the middle of a stream of ${formatText(this.input)}: end that first`,
    );
  }

  private encode(frame: PcmFrame): Promise<void> {
    const { format, bitrate } = this.options;
    if (isOwnFormat(format)) {
      this.own ??= ownEncoder(format, bitrate);
      return this.encodeByOurselves(this.own, frame);
    }
    this.run ??= this.start(format, frame.format, bitrate);
    this.places?.feed(frame);
    return this.run.write(frame.data);
  }

  /** A little in each turn of the event loop, however long the frame is. */
  private async encodeByOurselves(own: OwnEncoder, frame: PcmFrame): Promise<void> {
    const length = samplesInMs(frame.format.sampleRate, OWN_SLICE_MS);
    for (let start = 0; start < frame.samples && !this.isOver; start += length)
      await this.attempt(() => own.push(sliceFrame(frame, start, Math.min(frame.samples, start + length))));
  }

  private async attempt(encode: () => AudioFrame[]): Promise<void> {
    try {
      await this.give(encode());
    } catch (error) {
      if (!(error instanceof OrgoError)) throw error;
      this.end(error);
    }
  }

  private start(format: FfmpegFormat, input: PcmFormat, bitrate: number): FfmpegRun {
    const counter = frameCounter(format);
    const places = new EncodedPlaces(input.sampleRate, counter.delay);
    this.places = places;
    let gave = false;
    const formatOf = (): AudioFormat => ({
      encoding: format,
      sampleRate: counter.sampleRate ?? input.sampleRate,
      channels: input.channels,
    });
    const output = {
      take: (bytes: Buffer) => {
        gave = true;
        const samples = counter.push(bytes);
        return this.give([places.place(bytes, samples, formatOf())]);
      },
      finish: async () => {
        const rest = places.last(Buffer.alloc(0), formatOf());
        if (gave && rest.samples > 0) await this.give([rest]);
        return gave;
      },
      nothingCame: encodeFailure,
    };
    const run = new FfmpegRun(encodeArguments(format, input, bitrate), output, this.dependencies);
    void run.ended.then((error) => this.end(error));
    return run;
  }

  private give(frames: readonly AudioFrame[]): Promise<void> {
    return deliver(frames, this.sink, this.dependencies.clock, () => this.isOver);
  }

  private end(error: OrgoError | undefined): void {
    this.isOver = true;
    this.own?.close();
    this.resolveEnded(error);
  }
}

/** Silence for the gap before `frame`. */
function missingBefore(frame: PcmFrame): PcmFrame {
  const { format, gap } = frame;
  return {
    ...frame,
    data: silence(format, gap),
    samples: gap,
    position: frame.position - gap,
    time: frame.time - msOfSamples(format.sampleRate, gap),
    gap: 0,
  };
}
