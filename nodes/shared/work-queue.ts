/** Works long jobs off in slices, so that nothing else in the process waits for long. */
import type { Clock } from '../../src/audio/clock';
import { asError } from '../../src/audio/errors';

/** Half of the 20 ms that a turn may take: a slice that was begun is finished. */
const TURN_MS = 10;

/** One message's work; every `yield` is a place where it may pause. */
export type Work = Generator<undefined, void>;

interface Job {
  readonly work: Work;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Jobs that must run one after the other. */
export class Lane {
  readonly jobs: Job[] = [];

  /** Whether nothing waits. */
  get idle(): boolean {
    return this.jobs.length === 0;
  }
}

/** Runs the jobs of a lane in order, and lanes in turn. */
export class WorkQueue {
  private readonly lanes: Lane[] = [];
  private scheduled = false;
  private running = false;
  /** Bytes of the payloads that wait. */
  waitingBytes = 0;

  /** @param defer calls later, when the event loop has seen to everything else; setImmediate */
  constructor(
    private readonly clock: Clock,
    private readonly defer: (fn: () => void) => void,
  ) {}

  /**
   * Does `work`: at once, as far as that goes, where nothing waits.
   * @param bytes that it keeps in memory until it is done
   * @returns a promise where it is not done yet; it rejects with what `work` throws
   */
  run(lane: Lane, work: Work, bytes: number): void | Promise<void> {
    if (!this.busy && lane.idle && this.runNow(work)) return undefined;
    return new Promise((resolve, reject) => {
      lane.jobs.push({ work, bytes, resolve, reject });
      this.waitingBytes += bytes;
      if (lane.jobs.length === 1) this.lanes.push(lane);
      this.schedule();
    });
  }

  /**
   * Drops what waits in `lane`; its promises resolve.
   * @returns how many jobs that were
   */
  drop(lane: Lane): number {
    const jobs = lane.jobs.splice(0);
    const index = this.lanes.indexOf(lane);
    if (index >= 0) this.lanes.splice(index, 1);
    for (const { bytes, resolve } of jobs) {
      this.waitingBytes -= bytes;
      resolve();
    }
    return jobs.length;
  }

  /** Something waits, or a job runs and has led to the next one. */
  private get busy(): boolean {
    return this.scheduled || this.running;
  }

  /** Whether `work` was done within this turn. */
  private runNow(work: Work): boolean {
    const start = this.clock.now();
    this.running = true;
    try {
      while (work.next().done !== true) {
        if (this.clock.now() - start >= TURN_MS) return false;
      }
    } finally {
      this.running = false;
      // So long a job, though it be done: what comes next in this turn waits for the next one.
      if (this.clock.now() - start >= TURN_MS / 2) this.schedule();
    }
    return true;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.defer(() => {
      this.scheduled = false;
      this.turn();
    });
  }

  private turn(): void {
    const start = this.clock.now();
    this.running = true;
    for (let lane = this.lanes.shift(); lane; lane = this.lanes.shift()) {
      this.step(lane);
      if (!lane.idle) this.lanes.push(lane);
      if (this.clock.now() - start >= TURN_MS) break;
    }
    this.running = false;
    if (this.lanes.length > 0) this.schedule();
  }

  private step(lane: Lane): void {
    const [job] = lane.jobs;
    if (!job) return;
    let failure: Error | undefined;
    try {
      if (job.work.next().done !== true) return;
    } catch (thrown) {
      failure = asError(thrown);
    }
    lane.jobs.shift();
    this.waitingBytes -= job.bytes;
    if (failure) job.reject(failure);
    else job.resolve();
  }
}
