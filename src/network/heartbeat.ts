/** Notices a connection that died silently: pings, and waits for any sign of life. */
import type { Clock } from '../audio/clock';

export interface HeartbeatTimes {
  /** From one ping to the next. */
  readonly everyMs: number;
  /** No sign of life for this long after a ping: dead. Less than `everyMs`, or as much. */
  readonly answerMs: number;
}

/** The Orgo audio protocol asks for a ping every 30 s. */
const PROTOCOL_TIMES: HeartbeatTimes = { everyMs: 30_000, answerMs: 10_000 };
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
    private readonly times: HeartbeatTimes = PROTOCOL_TIMES,
  ) {
    this.cancel = clock.after(times.everyMs, () => this.sendPing());
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
    const { answerMs } = this.times;
    const deadline = this.clock.now() + answerMs;
    this.cancel = this.clock.after(answerMs, () => this.judge(deadline));
    this.ping();
  }

  private judge(deadline: number): void {
    if (this.heard) {
      this.cancel = this.clock.after(this.times.everyMs - this.times.answerMs, () => this.sendPing());
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
