/** Lets HTTP requests in by a secret in their `Authorization` header, and slows down who guesses it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../audio/clock';
import type { Secret } from './access';
import { clientAddress } from './client-address';
import { GuessThrottle } from './guess-throttle';
import { answerJson } from './http-answer';

const BEARER = /^Bearer +(.+)$/i;
/** Answers to wrong guesses that may wait for one network; beyond them the answer is 429. */
const MAX_WAITING_OF_NETWORK = 32;
const RETRY_AFTER_S = 30;

export interface BearerGuardOptions {
  readonly secret: Secret;
  /** What the secret is called, such as `API key`. */
  readonly name: string;
  /** Whether a proxy in front sets `X-Forwarded-For`. */
  readonly trustProxy: boolean;
  readonly clock: Clock;
}

export class BearerGuard {
  private readonly throttle: GuessThrottle;

  constructor(private readonly options: BearerGuardOptions) {
    this.throttle = new GuessThrottle(options.clock);
  }

  /** Whether the request brings the secret. Where it does not, it is answered here: with 401, later for who guesses. */
  admits(request: IncomingMessage, response: ServerResponse): boolean {
    const given = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined && this.options.secret.matches(given)) return true;
    this.refuse(request, response);
    return false;
  }

  /** Gives at once the answers that were put off: a server that closes must not leave requests open. */
  close(): void {
    this.throttle.answerAll();
    this.throttle.close();
  }

  /** The wait after a wrong guess goes on even if the client hangs up, and keeps one of its network's places. */
  private refuse(request: IncomingMessage, response: ServerResponse): void {
    const { name, trustProxy } = this.options;
    const address = clientAddress(request, trustProxy);
    if (this.throttle.isFull || this.throttle.waiting(address) >= MAX_WAITING_OF_NETWORK) {
      response.setHeader('Retry-After', String(RETRY_AFTER_S));
      const error = `Too many wrong ${name}s came from this address: wait, then send the right one`;
      answerJson(response, 429, { error });
      return;
    }
    const error = `The ${name} is missing or wrong: send it as "Authorization: Bearer {${wordOf(name)}}"`;
    response.setHeader('WWW-Authenticate', 'Bearer');
    this.throttle.reject(address, () => answerJson(response, 401, { error }));
  }
}

/** `key` of `API key`. */
function wordOf(name: string): string {
  return name.slice(name.lastIndexOf(' ') + 1);
}
