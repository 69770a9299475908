/** One conversion by ffmpeg: waits for its place, runs, and says in words how it ended. */
import { errorText, OrgoError } from '../audio/errors';
import { FfmpegProcess, HANG_MS, type Ending } from './ffmpeg-process';
import type { Engine, Dependencies } from './engine';

/** Where ffmpeg's output goes. */
export interface Output {
  /** Takes the next bytes; ffmpeg is read no further until it resolves. */
  take(bytes: Buffer): Promise<void>;
  /** ffmpeg is gone: takes what is held; resolves with whether there was any sound at all. */
  finish(): Promise<boolean>;
  /** The error for an ffmpeg that gave nothing, by its last words. */
  nothingCame(lastWords: string): OrgoError;
}

export class FfmpegRun implements Engine {
  /** Resolves with what went wrong, or undefined, when the process is gone and all that it made was taken. */
  readonly ended: Promise<OrgoError | undefined>;
  private readonly started: Promise<FfmpegProcess | undefined>;
  private aborted = false;
  /** Whether its turn has not come yet. */
  private waiting = true;
  private stopWaiting: () => void = () => undefined;
  private readonly place;

  constructor(
    private readonly args: readonly string[],
    private readonly output: Output,
    private readonly dependencies: Dependencies,
  ) {
    this.place = dependencies.pool.enter();
    this.started = this.start();
    this.ended = this.run();
  }

  /** Resolves when ffmpeg has taken the bytes, or is over. */
  async write(bytes: Buffer): Promise<void> {
    const process = await this.startedOrNothing();
    await process?.write(bytes);
  }

  /** No more input comes. Resolves when all is over, with what went wrong. */
  async finish(): Promise<OrgoError | undefined> {
    const process = await this.startedOrNothing();
    process?.end();
    return this.ended;
  }

  /** Drops everything; resolves when no process is left. */
  async abort(): Promise<void> {
    this.aborted = true;
    this.place.release();
    if (this.waiting) {
      this.stopWaiting();
      return;
    }
    (await this.startedOrNothing())?.kill();
    await this.ended;
  }

  private async start(): Promise<FfmpegProcess | undefined> {
    const left = new Promise<void>((resolve) => {
      this.stopWaiting = resolve;
    });
    await Promise.race([this.place.turn, left]);
    this.waiting = false;
    if (this.aborted) return undefined;
    const ffmpeg = await this.dependencies.findFfmpeg();
    // An abort may have come while ffmpeg was looked for.
    return this.isAborted()
      ? undefined
      : new FfmpegProcess(ffmpeg, this.args, this.take, this.dependencies.clock);
  }

  private isAborted(): boolean {
    return this.aborted;
  }

  private startedOrNothing(): Promise<FfmpegProcess | undefined> {
    return this.started.catch(() => undefined);
  }

  private async run(): Promise<OrgoError | undefined> {
    try {
      const process = await this.started;
      const ending = await process?.ended;
      if (!ending || this.aborted) return undefined;
      return errorOf(ending, await this.output.finish(), this.output);
    } catch (error) {
      return asOrgoError(error);
    } finally {
      this.place.release();
    }
  }

  private readonly take = (bytes: Buffer): Promise<void> =>
    this.aborted ? Promise.resolve() : this.output.take(bytes);
}

function errorOf(ending: Ending, gaveSound: boolean, output: Output): OrgoError | undefined {
  const { code, signal, lastWords, hung, failure } = ending;
  const words = lastWords === '' ? 'it gave no reason' : lastWords;
  if (failure !== undefined) return asOrgoError(failure);
  if (hung) return failed(`made no progress for ${HANG_MS / 1000} s and was ended (${words})`);
  if (signal) return failed(`was killed by ${signal} in the middle of its work (${words})`);
  if (code === null) return failed(`could not be started (${words})`);
  if (gaveSound) return code === 0 ? undefined : failed(`stopped in the middle of its work: ${words}`);
  // Some files that hold nothing end with code 0.
  return output.nothingCame(words);
}

function failed(what: string): OrgoError {
  return new OrgoError('ORGO_CONVERT_FAILED', `ffmpeg ${what}`);
}

function asOrgoError(error: unknown): OrgoError {
  if (error instanceof OrgoError) return error;
  return new OrgoError('ORGO_CONVERT_FAILED', `The conversion failed: ${errorText(error)}`, { cause: error });
}
