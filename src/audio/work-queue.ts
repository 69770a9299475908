/** Does long jobs in slices, so that nothing else in the process waits for long. */
import type { Clock } from './clock';
import { asError } from './errors';

/** Half of the 20 ms that a turn may take: a slice that was begun is finished. */
const TURN_MS = 10;
const DONE = 'done';

/** One message's work. Every `yield` is a place where it may pause; a promise is waited for. */
export type Work = Generator<Promise<void> | undefined, void>;

interface Job {
  readonly work: Work;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Jobs that must run one after the other. */
export class SerialQueue {
  readonly jobs: Job[] = [];

  /** Whether nothing waits. */
  get idle(): boolean {
    return this.jobs.length === 0;
  }
}

/** Waits for `pending` within a piece of work; not at all where there is nothing to wait for. */
export function* waitFor(pending: Promise<void> | undefined): Work {
  if (!pending) return;
  let failure: Error | undefined;
  yield pending.catch((error: unknown) => {
    failure = asError(error);
  });
  if (failure) throw failure;
}

/** Does `work` without a queue: at once, but for what it has to wait for. */
export function drive(work: Work): void | Promise<void> {
  for (let step = work.next(); step.done !== true; step = work.next()) {
    if (step.value) return step.value.then(() => drive(work));
  }
}

/** Runs the jobs of a queue in order, and queues in turn. */
export class WorkQueue {
  /** Queues with a job that can go on. */
  private readonly ready: SerialQueue[] = [];
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
  run(queue: SerialQueue, work: Work, bytes: number): void | Promise<void> {
    const began = !this.busy && queue.idle;
    const pause = began ? this.runNow(work) : undefined;
    if (pause === DONE) return undefined;
    return new Promise((resolve, reject) => {
      const job = { work, bytes, resolve, reject };
      // What it has led to while it ran came after it.
      if (began) queue.jobs.unshift(job);
      else queue.jobs.push(job);
      this.waitingBytes += bytes;
      if (pause) {
        this.park(queue, job, pause);
        return;
      }
      if (queue.jobs.length === 1) this.ready.push(queue);
      this.schedule();
    });
  }

  /**
   * Drops what waits in `queue`; its promises resolve.
   * @returns how many jobs that were
   */
  drop(queue: SerialQueue): number {
    const jobs = queue.jobs.splice(0);
    const index = this.ready.indexOf(queue);
    if (index >= 0) this.ready.splice(index, 1);
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

  /** {@link DONE}; or what `work` waits for, undefined where its time for this turn is up. */
  private runNow(work: Work): typeof DONE | Promise<void> | undefined {
    const start = this.clock.now();
    this.running = true;
    try {
      for (let step = work.next(); step.done !== true; step = work.next()) {
        if (step.value) return step.value;
        if (this.clock.now() - start >= TURN_MS) return undefined;
      }
      return DONE;
    } finally {
      this.running = false;
      // After a slow job, yield before more work is started in this turn.
      if (this.clock.now() - start >= TURN_MS / 2) this.schedule();
    }
  }

  /** Goes on with `job`, the first of its queue, when `pause` is over. */
  private park(queue: SerialQueue, job: Job, pause: Promise<void>): void {
    void pause.then(() => {
      // It may have been dropped in between.
      if (queue.jobs[0] !== job) return;
      this.ready.push(queue);
      this.schedule();
    });
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
    for (let queue = this.ready.shift(); queue; queue = this.ready.shift()) {
      if (this.step(queue) && !queue.idle) this.ready.push(queue);
      if (this.clock.now() - start >= TURN_MS) break;
    }
    this.running = false;
    if (this.ready.length > 0) this.schedule();
  }

  /** Whether the queue can go on. */
  private step(queue: SerialQueue): boolean {
    const [job] = queue.jobs;
    if (!job) return false;
    let failure: Error | undefined;
    try {
      const step = job.work.next();
      if (step.done !== true) {
        if (step.value) this.park(queue, job, step.value);
        return step.value === undefined;
      }
    } catch (thrown) {
      failure = asError(thrown);
    }
    queue.jobs.shift();
    this.waitingBytes -= job.bytes;
    if (failure) job.reject(failure);
    else job.resolve();
    return true;
  }
}
