/** Asks for the last words of a stream, and says when they have come: one request after the other. */
import type { Clock } from '../audio/clock';
import type { ServiceConnection } from './service-connection';

/** Words for a turn that was ended by us come within this, or there are none. */
const COMMIT_LIMIT_MS = 5000;

export interface LastWordsHost {
  readonly clock: Clock;
  connection(): ServiceConnection | undefined;
  /** Whether sound has no words yet. */
  isOpen(): boolean;
  /** Sends what came so far. Returns whether there is anything to wait for. */
  begin(): boolean;
  /** The time is up: what has no words will have none, and where the connection was to end, it does. */
  giveUp(): void;
}

interface Goal {
  /** The connection is to end with the words. */
  readonly ends: boolean;
  asked: boolean;
  readonly reached: () => void;
}

export class LastWords {
  private goal: Goal | undefined;
  private queue: Promise<void> = Promise.resolve();
  private cancelCommit: (() => void) | undefined;

  constructor(private readonly host: LastWordsHost) {}

  /** Whether someone waits. */
  get isWanted(): boolean {
    return this.goal !== undefined;
  }

  /**
   * Resolves when all words of what came so far have left, or will not come.
   * @param ends whether the connection ends then, as the service wants it
   */
  ask(ends: boolean, withinMs: number): Promise<void> {
    this.queue = this.queue.then(() => this.askNow(ends, withinMs));
    return this.queue;
  }

  /** Something was sent: when that was all, asks the service. */
  pursue(): void {
    const { goal } = this;
    const connection = this.host.connection();
    if (!goal || goal.asked || !connection?.isDone) return;
    goal.asked = true;
    if (goal.ends || !connection.canCommit) {
      connection.finish();
    } else if (!this.host.isOpen()) {
      goal.reached();
    } else {
      this.cancelCommit = this.host.clock.after(COMMIT_LIMIT_MS, goal.reached);
      connection.commitAt(connection.next);
    }
  }

  /** A turn that we ended has its words. */
  committed(): void {
    const { goal } = this;
    if (goal?.asked === true && !goal.ends && this.host.connection()?.isAnswered === true) goal.reached();
  }

  /** The connection was lost: the next one is asked anew. */
  interrupted(): void {
    this.cancelCommit?.();
    if (this.goal) this.goal.asked = false;
  }

  /** There is nothing to wait for any more. */
  reached(): void {
    this.goal?.reached();
  }

  private askNow(ends: boolean, withinMs: number): Promise<void> {
    if (!this.host.begin()) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.host.clock.after(withinMs, () => {
        if (ends) this.host.giveUp();
        goal.reached();
      });
      const goal: Goal = {
        ends,
        asked: false,
        reached: () => {
          cancel();
          this.cancelCommit?.();
          if (this.goal === goal) this.goal = undefined;
          resolve();
        },
      };
      this.goal = goal;
      this.pursue();
    });
  }
}
