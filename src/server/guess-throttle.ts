/** Slows down clients that guess a secret, whether a token or an API key. */
import type { Clock } from '../audio/clock';
import { networkOf } from './client-address';

const WINDOW_MS = 60_000;
/** Wrong guesses from one network within a minute that are answered at once. */
const FREE_ATTEMPTS = 10;
const MAX_DELAY_MS = 30_000;
const DELAY_STEP_MS = 1000;
/** Answers put off at once, over all networks. */
const MAX_PUT_OFF = 1000;
/** Networks remembered; the one not heard of for longest makes room. */
const MAX_NETWORKS = 10_000;

/** Attempts remembered of a network: more would not make the delay longer. */
const MAX_ATTEMPTS = FREE_ATTEMPTS + MAX_DELAY_MS / DELAY_STEP_MS;

interface PutOff {
  readonly network: string;
  readonly answer: () => void;
  readonly cancelTimer: () => void;
}

/** Counts wrong guesses, and puts their answers off; its memory is bounded whatever comes. */
export class GuessThrottle {
  /** Times of the wrong guesses of the last minute, by network; the network that was quiet for longest comes first. */
  private readonly attempts = new Map<string, number[]>();
  private readonly putOff = new Set<PutOff>();

  constructor(private readonly clock: Clock) {}

  /**
   * Calls `answer` at once, or later for a network that guesses: from the eleventh wrong guess in a minute on, one
   * second later each time. The guess counts whether or not the client waits for its answer. Where a thousand
   * answers wait already, it is called at once.
   * @returns cancels the call, for a client that has left
   */
  reject(address: string, answer: () => void): () => void {
    const network = networkOf(address);
    const delayMs = this.countAttempt(network);
    if (delayMs === 0 || this.putOff.size >= MAX_PUT_OFF) {
      answer();
      return () => undefined;
    }
    const cancelTimer = this.clock.after(delayMs, () => {
      this.putOff.delete(entry);
      answer();
    });
    const entry: PutOff = { network, answer, cancelTimer };
    this.putOff.add(entry);
    return () => {
      cancelTimer();
      this.putOff.delete(entry);
    };
  }

  /** How many answers to this address' network are put off. */
  waiting(address: string): number {
    const network = networkOf(address);
    let count = 0;
    for (const entry of this.putOff) if (entry.network === network) count++;
    return count;
  }

  /** Whether as many answers are put off as may be. */
  get isFull(): boolean {
    return this.putOff.size >= MAX_PUT_OFF;
  }

  /** Gives at once every answer that was put off. */
  answerAll(): void {
    for (const { cancelTimer, answer } of [...this.putOff]) {
      cancelTimer();
      answer();
    }
    this.putOff.clear();
  }

  /** Cancels every answer that was put off, and forgets the guesses. */
  close(): void {
    for (const { cancelTimer } of this.putOff) cancelTimer();
    this.putOff.clear();
    this.attempts.clear();
  }

  /** Takes note of one more wrong guess; returns how long its answer waits. */
  private countAttempt(network: string): number {
    const now = this.clock.now();
    const before = (this.attempts.get(network) ?? []).filter((time) => now - time < WINDOW_MS);
    const recent = [...before, now].slice(-MAX_ATTEMPTS);
    this.attempts.delete(network);
    this.attempts.set(network, recent);
    const [oldest] = this.attempts.keys();
    if (this.attempts.size > MAX_NETWORKS && oldest !== undefined) this.attempts.delete(oldest);
    return Math.max(0, recent.length - FREE_ATTEMPTS) * DELAY_STEP_MS;
  }
}
