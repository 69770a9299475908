/** A conversion as a transform of a node: its errors are reported once, and nothing of it outlives its stream. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OrgoError } from '../../src/audio/errors';
import type { AudioFrame } from '../../src/audio/frame';
import { AUDIO_OUTPUT } from '../../src/audio/transform';
import type { NodeTransform, TransformContext } from '../shared/stream-node';

/** One run of a decoder or an encoder, as `src/convert/` has them. */
export interface Conversion {
  /** Resolves when it is over: with what went wrong, or undefined. */
  readonly ended: Promise<OrgoError | undefined>;
  /** Resolves when there is room for more, also where it is over. */
  write(frame: AudioFrame): Promise<void>;
  /** No more comes: resolves when all was given, with what went wrong. */
  finish(): Promise<OrgoError | undefined>;
  /** Drops everything; resolves when no process is left. */
  abort(): Promise<void>;
}

export interface ConversionOptions {
  /** @param give takes what comes out */
  readonly start: (give: (frame: AudioFrame) => void) => Conversion;
  /** What is lost where the node closes in the middle: all that is left, or nothing, since the end must be written. */
  readonly whenClosed: 'drop' | 'finish';
}

export class ConversionTransform implements NodeTransform {
  private conversion: Conversion | undefined;
  /** What the harness waits for. */
  private pending: Promise<void> | undefined;
  private isBusy = false;
  private failure: OrgoError | undefined;
  private isTold = false;
  private gave = false;

  constructor(
    private readonly options: ConversionOptions,
    private readonly context: Pick<TransformContext, 'emit' | 'refresh'>,
  ) {}

  /** Whether output was asked for, and none has come yet. */
  get isWaiting(): boolean {
    return this.conversion !== undefined && !this.gave && !this.failure;
  }

  push(frame: AudioFrame): [] {
    const isFirst = this.conversion === undefined;
    this.pending = this.busyWith(() => this.write(frame));
    if (isFirst) this.context.refresh();
    return [];
  }

  ready(): Promise<void> | undefined {
    return this.pending;
  }

  /** The harness flushes in the middle of something only where the node closes. */
  flush(): [] {
    if (!this.isBusy) this.pending = this.busyWith(() => this.finish());
    else if (this.options.whenClosed === 'drop') this.pending = this.conversion?.abort();
    else this.pending = this.pending?.then(() => this.finish());
    return [];
  }

  drained(): Promise<void> | undefined {
    return this.pending;
  }

  close(): void {
    void this.conversion?.abort();
  }

  private async busyWith(work: () => Promise<void>): Promise<void> {
    this.isBusy = true;
    try {
      await work();
    } finally {
      this.isBusy = false;
    }
  }

  private async write(frame: AudioFrame): Promise<void> {
    this.conversion ??= this.start();
    await this.conversion.write(frame);
    // It stops taking input a little before the reason is known.
    await nextTurn();
    this.throwError();
  }

  private async finish(): Promise<void> {
    this.failure ??= await this.conversion?.finish();
    this.throwError();
  }

  private start(): Conversion {
    this.gave = false;
    this.failure = undefined;
    this.isTold = false;
    const conversion = this.options.start((frame) => {
      this.gave = true;
      this.context.emit([{ output: AUDIO_OUTPUT, frame }]);
    });
    void conversion.ended.then((error) => {
      if (this.conversion === conversion) this.failure ??= error;
    });
    return conversion;
  }

  /**
   * Throws what went wrong, once. One that had worked, and then broke, is started anew by what comes next; else the
   * rest of the stream would only fail in the same way: it is passed over.
   */
  private throwError(): void {
    const { failure } = this;
    if (!failure || this.isTold) return;
    this.isTold = true;
    if (this.gave) this.conversion = undefined;
    throw failure;
  }
}
