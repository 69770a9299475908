/** Who may listen: secrets compared in constant time, wrong ones slowed down, browsers' origins. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../audio/clock';
import { OrgoError } from '../audio/errors';

/** Compares secrets without telling by its duration how much of one was right, or how long it is. */
export class Secret {
  private readonly key = randomBytes(32);
  private readonly digest: Buffer;

  constructor(secret: string) {
    this.digest = this.hash(secret);
  }

  matches(given: string): boolean {
    return timingSafeEqual(this.digest, this.hash(given));
  }

  private hash(text: string): Buffer {
    return createHmac('sha256', this.key).update(text).digest();
  }
}

const WINDOW_MS = 60_000;
/** Wrong tokens from one address within a minute that are answered at once. */
const FREE_ATTEMPTS = 10;
const MAX_DELAY_MS = 30_000;
const DELAY_STEP_MS = 1000;
/** Answers put off at once, over all addresses. */
const MAX_PUT_OFF = 1000;
/** Addresses remembered; the one heard longest ago makes room. */
const MAX_ADDRESSES = 10_000;

/** Attempts remembered of an address: more make the delay no longer. */
const MAX_ATTEMPTS = FREE_ATTEMPTS + MAX_DELAY_MS / DELAY_STEP_MS;

/** Slows down who guesses tokens; memory is bounded whatever comes. */
export class TokenThrottle {
  /** Times of the wrong tokens of the last minute, by network; the one heard longest ago stands first. */
  private readonly attempts = new Map<string, number[]>();
  private readonly pending = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /**
   * Calls `reject` at once, or later for who guesses: from the eleventh wrong token in a minute on, one second
   * more each time. Where a thousand wait already, it is called at once.
   * @returns cancels the call, for a client that has left
   */
  reject(address: string, reject: () => void): () => void {
    const delayMs = this.delayMs(address);
    if (delayMs === 0 || this.pending.size >= MAX_PUT_OFF) {
      reject();
      return () => undefined;
    }
    const cancelTimer = this.clock.after(delayMs, () => {
      this.pending.delete(cancel);
      reject();
    });
    const cancel = (): void => {
      cancelTimer();
      this.pending.delete(cancel);
    };
    this.pending.add(cancel);
    return cancel;
  }

  /** Cancels all that is put off. */
  close(): void {
    for (const cancel of this.pending) cancel();
    this.attempts.clear();
  }

  private delayMs(address: string): number {
    const now = this.clock.now();
    const network = networkOf(address);
    const before = (this.attempts.get(network) ?? []).filter((time) => now - time < WINDOW_MS);
    const recent = [...before, now].slice(-MAX_ATTEMPTS);
    this.attempts.delete(network);
    this.attempts.set(network, recent);
    const [oldest] = this.attempts.keys();
    if (this.attempts.size > MAX_ADDRESSES && oldest !== undefined) this.attempts.delete(oldest);
    return Math.max(0, recent.length - FREE_ATTEMPTS) * DELAY_STEP_MS;
  }
}

/** What one guesser holds: an IPv4 address, or a /64 of IPv6, of which anyone has 2^64 addresses. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return copyOf(mapped[1]);
  if (!address.includes(':')) return copyOf(address);
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  return [...front, ...Array<string>(Math.max(0, zeros)).fill('0'), ...back].slice(0, 4).join(':');
}

/** Of itself: a part of a header would keep all of the header in memory. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}

/** Whether a browser's `Origin` may connect: any where none is listed, and who sends none is no browser. */
export function originAllowed(origin: string | undefined, allowed: readonly string[]): boolean {
  return origin === undefined || allowed.length === 0 || allowed.includes(origin);
}

/**
 * Reads a comma-separated list of origins, as browsers write them: a trailing slash, capitals and a port that goes
 * without saying are forgiven.
 * @throws OrgoError `ORGO_BAD_SETTING` for what is no origin, and so would never match one
 */
export function parseOrigins(list: string): string[] {
  return list
    .split(',')
    .map((origin) => origin.trim().replace(/\/$/, ''))
    .filter((origin) => origin !== '')
    .map(canonicalOrigin);
}

const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^/?#\s]+$/i;

function canonicalOrigin(text: string): string {
  if (text === 'null') return text;
  if (!ORIGIN.test(text) || !URL.canParse(text)) {
    throw new OrgoError(
      'ORGO_BAD_SETTING',
      `allowedOrigins holds ${JSON.stringify(text)}: an origin is scheme://host or scheme://host:port; leave it blank for any`,
    );
  }
  const { origin } = new URL(text);
  // The URL standard knows the origins of http and https alone; browsers' extensions have others.
  return origin === 'null' ? text : origin;
}
