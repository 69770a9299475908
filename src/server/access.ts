/** Who may listen: secrets compared in constant time, and the origins that browsers name. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { OrgoError } from '../audio/errors';

/** Compares secrets in a time that depends neither on how much of one was right nor on how long it is. */
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

/** Whether a browser's `Origin` may connect: any if none is listed; a client that sends none is no browser. */
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
