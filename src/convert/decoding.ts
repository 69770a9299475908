/** One file, whole or in pieces, to frames of PCM. */
import type { OrgoError } from '../audio/errors';
import { msOfSamples } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { parseSettings } from '../settings/read';
import { decodeArguments } from './commands';
import { deliver, type Sink } from './delivery';
import { systemDependencies, type Engine, type Dependencies } from './engine';
import { FfmpegRun } from './ffmpeg-run';
import { indexFirst, mp4Length } from './mp4';
import { mp3Length, type ExactLength } from './mpeg-audio';
import { DECODE_SETTINGS, type DecodeOptions, type DecodeSettings } from './options';
import { OwnRun } from './own-run';
import { PcmOutput } from './pcm-output';
import { decodeFailure } from './reasons';
import { sniff, type SoundKind } from './sniff';
import { Timeline, type PieceTime } from './timeline';

export interface DecodedSound {
  /** Positions count from 0, at the frame's own rate; `latencyMs` is 0. */
  readonly frame: PcmFrame;
  /** Whether `frame.time` is when the sound was captured: so it is for live pieces; a recording has no such time. */
  readonly isTimed: boolean;
}

/** A cover picture or an index may stand before the sound; after a longer one no exact length is looked for. */
const MAX_BEGINNING_BYTES = 8 * 1024 * 1024;

export class Decoding {
  /** Resolves when it is over: with what went wrong, or undefined. Once, and never rejects. */
  readonly ended: Promise<OrgoError | undefined>;
  private resolveEnded: (error: OrgoError | undefined) => void = () => undefined;
  private readonly options: DecodeSettings;
  private readonly isWhole: boolean;
  private readonly timeline = new Timeline();
  private engine: Engine | undefined;
  /** The first bytes, until they are enough to recognise the file. */
  private held: Buffer = Buffer.alloc(0);
  /** The file's beginning, kept until its exact length was asked for. */
  private beginning: Buffer[] = [];
  private isOver = false;

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(
    options: DecodeOptions,
    private readonly sink: Sink<DecodedSound>,
    private readonly dependencies: Dependencies = systemDependencies,
  ) {
    this.options = parseSettings(DECODE_SETTINGS, { ...options });
    this.isWhole = options.isWhole ?? false;
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
  }

  /**
   * Takes the next bytes; call it anew only when it has resolved. It resolves when there is room for more, also
   * when the decoding is over: {@link ended} says why.
   * @param at where live bytes lie in time
   */
  async write(bytes: Buffer, at?: PieceTime): Promise<void> {
    if (this.isOver || bytes.length === 0) return;
    this.timeline.add(at);
    if (this.engine) {
      this.remember(bytes);
      await this.engine.write(bytes);
      return;
    }
    this.held = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    const kind = sniff(this.held, this.isWhole);
    if (kind) await this.begin(kind);
  }

  /** No more bytes come. Resolves when all sound was taken, with what went wrong. */
  async finish(): Promise<OrgoError | undefined> {
    if (!this.engine && this.held.length > 0 && !this.isOver)
      await this.begin(sniff(this.held, true) ?? 'other');
    if (!this.engine) this.end(undefined);
    else await this.engine.finish();
    return this.ended;
  }

  /** Drops everything that has not come out; resolves when nothing of it is left, no process either. */
  async abort(): Promise<void> {
    this.isOver = true;
    this.held = Buffer.alloc(0);
    await this.engine?.abort();
    this.end(undefined);
  }

  private async begin(kind: SoundKind): Promise<void> {
    const bytes = this.held;
    this.held = Buffer.alloc(0);
    const parts = this.isWhole && kind === 'mp4' ? indexFirst(bytes) : [bytes];
    if (kind === 'mp4' || kind === 'mp3') this.beginning = [bytes];
    const engine = this.engineFor(kind);
    this.engine = engine;
    void engine.ended.then((error) => this.end(error));
    for (const part of parts) await engine.write(part);
  }

  private engineFor(kind: SoundKind): Engine {
    if (kind === 'wav' || kind === 'ogg-opus' || kind === 'webm-opus') {
      return new OwnRun(kind, this.options, this.give);
    }
    const output = new PcmOutput(this.options.frameMs, () => this.exactLength(kind));
    return new FfmpegRun(
      decodeArguments({ kind, ...this.options }),
      {
        take: (bytes) => this.give(output.push(bytes)),
        finish: async () => {
          await this.give(output.flush());
          return output.hasSound;
        },
        nothingCame: decodeFailure,
      },
      this.dependencies,
    );
  }

  private remember(bytes: Buffer): void {
    const length = this.beginning.reduce((sum, part) => sum + part.length, 0);
    if (length === 0) return;
    if (length > MAX_BEGINNING_BYTES) this.beginning = [];
    else this.beginning.push(bytes);
  }

  /** Asked when the first sound came: by then the header did, too. */
  private exactLength(kind: SoundKind): ExactLength | undefined {
    const [first, ...more] = this.beginning;
    this.beginning = [];
    if (!first) return undefined;
    const file = more.length === 0 ? first : Buffer.concat([first, ...more]);
    return kind === 'mp4' ? mp4Length(file) : mp3Length(file);
  }

  private readonly give = (frames: readonly PcmFrame[]): Promise<void> =>
    deliver(
      frames,
      (frame) => {
        const time = this.timeline.timeAt(msOfSamples(frame.format.sampleRate, frame.position));
        return this.sink(
          time === undefined ? { frame, isTimed: false } : { frame: { ...frame, time }, isTimed: true },
        );
      },
      this.dependencies.clock,
      () => this.isOver,
    );

  private end(error: OrgoError | undefined): void {
    this.isOver = true;
    this.resolveEnded(error);
  }
}
