/** When a bot may log in: soon after a failure, later after many, and never more often in a day than Discord allows. */
import { createHash } from 'node:crypto';
import { Backoff, type WaitSchedule } from '../audio/backoff';
import type { Clock } from '../audio/clock';
import { OrgoError } from '../audio/errors';

/** After each failure in a row. */
const AFTER_FAILURE: WaitSchedule = { firstMs: 1000, maxMs: 60_000, fixedShare: 0.8 };
const DAY_MS = 24 * 3600 * 1000;
/**
 * Discord allows a bot 1,000 log-ins in 24 hours, and resets the token of one that makes more
 * (https://docs.discord.com/developers/events/gateway#identifying). So many of ours come when they are wanted …
 */
const FREE_A_DAY = 400;
/** … and each one beyond them no sooner than this after the last: that makes 760 in any 24 hours. */
const SPACED_MS = 240_000;

const SLOWED =
  `The bot has logged in ${FREE_A_DAY} times in 24 hours, and Discord allows 1,000: ` +
  `it tries once in ${SPACED_MS / 60_000} minutes now`;

/** The log-ins of one bot in this process, whichever nodes made them. */
class BotLogIns {
  private times: number[] = [];

  /** How long the next one has to wait; 0 where it may come at once. */
  waitMs(now: number): number {
    this.times = this.times.filter((time) => now - time < DAY_MS);
    const last = this.times.at(-1);
    if (last === undefined || this.times.length < FREE_A_DAY) return 0;
    return Math.max(0, last + SPACED_MS - now);
  }

  add(now: number): void {
    this.times.push(now);
  }
}

const bots = new Map<string, BotLogIns>();

function logInsOf(token: string): BotLogIns {
  const key = createHash('sha256').update(token).digest('hex');
  const known = bots.get(key) ?? new BotLogIns();
  bots.set(key, known);
  return known;
}

/** A wait before the next log-in. */
export interface LogInWait {
  readonly error: OrgoError;
  readonly retryInMs: number;
  /** It is this long because of the many log-ins before. */
  readonly isSlowed: boolean;
}

/** The log-ins of one voice. */
export class LogIns {
  private readonly bot: BotLogIns;
  private readonly backoff: Backoff;

  /** @param random uniform in [0, 1), as Math.random */
  constructor(
    token: string,
    private readonly clock: Clock,
    random: () => number,
  ) {
    this.bot = logInsOf(token);
    this.backoff = new Backoff(random, AFTER_FAILURE);
  }

  /** Counts a log-in that is made now. Where it would be one too many, it is not to be made: how long to wait instead. */
  begin(): LogInWait | undefined {
    const now = this.clock.now();
    const retryInMs = this.bot.waitMs(now);
    if (retryInMs > 0) {
      return { error: new OrgoError('ORGO_DISCORD_FAILED', SLOWED), retryInMs, isSlowed: true };
    }
    this.bot.add(now);
    return undefined;
  }

  /** Counts one that the library has made by itself. */
  count(): void {
    this.bot.add(this.clock.now());
  }

  /** How long to wait after a failure. */
  after(error: OrgoError): LogInWait {
    const soonest = this.backoff.next();
    const spacedMs = this.bot.waitMs(this.clock.now());
    if (spacedMs <= soonest) return { error, retryInMs: soonest, isSlowed: false };
    const slowed = new OrgoError(error.code, `${error.message}. ${SLOWED}`);
    return { error: slowed, retryInMs: spacedMs, isSlowed: true };
  }

  /** The next failure waits from one second again. */
  startOver(): void {
    this.backoff.reset();
  }
}
