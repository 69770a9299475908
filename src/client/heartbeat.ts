/** Notices a connection that died silently: pings, and waits for any sign of life. */
import type { Clock } from '../audio/clock';

/** The protocol asks for a ping every 30 s. */
const PING_INTERVAL_MS = 30_000;
/** No answer and no audio for this long after a ping: dead. */
const ANSWER_LIMIT_MS = 10_000;
/** A timer this late means that our own process stalled. What arrived in between has not been read yet. */
const STALL_MS = 1000;

/** Pings until it is stopped; calls `onDead` at most once, and is stopped then. */
export class Heartbeat {
  private heard = true;
  private cancel: () => void;

  constructor(
    private readonly clock: Clock,
    private readonly ping: () => void,
    private readonly onDead: () => void,
  ) {
    this.cancel = clock.after(PING_INTERVAL_MS, () => this.sendPing());
  }

  /** Call it for everything that arrives. */
  sawLife(): void {
    this.heard = true;
  }

  /** May be called twice. */
  stop(): void {
    this.cancel();
  }

  private sendPing(): void {
    this.heard = false;
    const deadline = this.clock.now() + ANSWER_LIMIT_MS;
    this.cancel = this.clock.after(ANSWER_LIMIT_MS, () => this.judge(deadline));
    this.ping();
  }

  private judge(deadline: number): void {
    if (this.heard) {
      this.cancel = this.clock.after(PING_INTERVAL_MS - ANSWER_LIMIT_MS, () => this.sendPing());
      return;
    }
    const now = this.clock.now();
    if (now - deadline > STALL_MS) {
      this.cancel = this.clock.after(STALL_MS, () => this.judge(now + STALL_MS));
      return;
    }
    this.onDead();
  }
}
