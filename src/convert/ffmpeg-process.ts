/** One running ffmpeg: bytes in, bytes out, with backpressure both ways, and a full report of how it ended. */
import type { Clock } from '../audio/clock';
import type { Ffmpeg } from './find-ffmpeg';
import { LastWords } from './last-words';
import { startFfmpeg } from './prism';

/** An ffmpeg that has work, but takes and gives nothing for this long, hangs. */
export const HANG_MS = 30_000;
/** Input is handed over in pieces of this size, so that each one taken shows progress. */
const PIECE_BYTES = 65536;

export interface Ending {
  /** Exit code; null where a signal ended it, or it did not start. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its stderr. */
  readonly lastWords: string;
  /** It was ended by us, after {@link HANG_MS} without progress. */
  readonly hung: boolean;
  /** What was thrown by the one that takes what ffmpeg made; undefined as a rule. */
  readonly failure: unknown;
}

/** Takes what ffmpeg made; while its promise is open, ffmpeg is read no further. */
export type TakeBytes = (bytes: Buffer) => Promise<void>;

export class FfmpegProcess {
  /** Resolves when the process is gone and all that it made was taken. Never rejects. */
  readonly ended: Promise<Ending>;
  private readonly stream;
  private readonly child;
  private readonly lastWords = new LastWords();
  private resolveEnded: (ending: Ending) => void = () => undefined;
  private inputEnded = false;
  private writes = 0;
  private readonly openWrites = new Set<() => void>();
  private failure: unknown;
  private taking: Promise<void> = Promise.resolve();
  /** Pieces of output that are being taken, or wait for that. */
  private untaken = 0;
  private hung = false;
  private over = false;
  private lastProgress: number;
  private cancelWatch: (() => void) | undefined;

  constructor(
    ffmpeg: Ffmpeg,
    args: readonly string[],
    private readonly take: TakeBytes,
    private readonly clock: Clock,
  ) {
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    this.lastProgress = clock.now();
    this.stream = startFfmpeg(ffmpeg, args);
    this.child = this.stream.process;
    // The pipes' errors (EPIPE when ffmpeg has ended) come here; how the process ends says what they mean.
    this.stream.on('error', () => undefined);
    this.stream.on('data', this.onData);
    this.child.stderr.on('data', (bytes: Buffer) => this.lastWords.push(bytes));
    this.child.once('error', (error) => {
      this.lastWords.push(Buffer.from(`${error.message}\n`));
      this.onClose(null, null);
    });
    this.child.once('close', (code, signal) => this.onClose(code, signal));
  }

  /** Its process id; undefined where it did not start. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Resolves when ffmpeg took the bytes, or is gone. */
  async write(bytes: Buffer): Promise<void> {
    this.beginWork();
    this.writes++;
    this.watch();
    for (let at = 0; at < bytes.length && !this.over; at += PIECE_BYTES)
      await this.writePiece(bytes.subarray(at, at + PIECE_BYTES));
    this.writes--;
  }

  /** No more input comes: ffmpeg finishes its work. */
  end(): void {
    if (this.over) return;
    this.beginWork();
    this.inputEnded = true;
    this.watch();
    this.child.stdin.end();
  }

  /** Ends it at once; what it made and was not taken yet is dropped. */
  kill(): void {
    if (this.over) return;
    // The prism stream shares its state with stdout and stdin, so its own destroy() would mark those as destroyed
    // without closing them, and their handles would stay open. So the pipes are destroyed first, one by one.
    this.stream.removeListener('data', this.onData);
    this.child.stdin.destroy();
    this.child.stdout.destroy();
    this.child.stderr.destroy();
    this.child.kill('SIGKILL');
  }

  private writePiece(piece: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.openWrites.delete(done);
        this.progress();
        resolve();
      };
      this.openWrites.add(done);
      this.stream.write(piece, done);
    });
  }

  /** When the process has ended, Node.js reads on even if we paused: what comes then waits for what came before. */
  private readonly onData = (bytes: Buffer): void => {
    this.child.stdout.pause();
    this.untaken++;
    this.taking = this.taking.then(() => this.takeAndResume(bytes));
  };

  private async takeAndResume(bytes: Buffer): Promise<void> {
    try {
      if (this.failure === undefined) await this.take(bytes);
    } catch (error) {
      this.failure = error;
      this.kill();
    }
    this.untaken--;
    this.progress();
    if (this.untaken === 0) this.child.stdout.resume();
  }

  private get hasWork(): boolean {
    return this.writes > 0 || this.inputEnded;
  }

  /** Time without work does not count as a hang. */
  private beginWork(): void {
    if (!this.hasWork) this.progress();
  }

  private progress(): void {
    this.lastProgress = this.clock.now();
  }

  private watch(): void {
    if (this.cancelWatch || this.over || !this.hasWork) return;
    const ms = this.lastProgress + HANG_MS - this.clock.now();
    this.cancelWatch = this.clock.after(ms, () => {
      this.cancelWatch = undefined;
      // ffmpeg can not go on until we have taken its output.
      if (this.untaken > 0) this.progress();
      this.hung = this.hasWork && this.clock.now() - this.lastProgress >= HANG_MS;
      if (this.hung) this.kill();
      else this.watch();
    });
  }

  private onClose(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.over) return;
    this.over = true;
    this.cancelWatch?.();
    this.cancelWatch = undefined;
    for (const done of [...this.openWrites]) done();
    void this.taking.then(() => {
      const { hung, failure } = this;
      this.resolveEnded({ code, signal, lastWords: this.lastWords.text, hung, failure });
    });
  }
}
