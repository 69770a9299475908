/** Asks the REST API for a computer's password, and says in words a user can act on why there is none. */
import type { ConnectionOptions } from 'node:tls';
import { Agent, request, type buildConnector } from 'undici';
import type { Clock } from '../audio/clock';
import { OrgoError } from '../audio/errors';
import { badAnswer, passwordOf, statusError } from './api-answers';
import { networkError } from './network-error';
import { sleep, within } from './waiting';

/** Nothing of an answer, or not all of it, after this long: given up. */
const ANSWER_LIMIT_MS = 15_000;
/** Longer answers are not the API's. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** 429: wait 1 s, doubling, at most 60 s (the API's documentation). */
const FIRST_RATE_LIMIT_WAIT_MS = 1000;
const MAX_RATE_LIMIT_WAIT_MS = 60_000;
/** 503, the desktop could not be reached: retry after these (the API's documentation). */
const UNAVAILABLE_WAITS_MS = [1000, 2000, 4000];

/** What TLS needs beyond its defaults: `ca`, `cert`, `key`, `rejectUnauthorized` … of `tls.connect`. */
export type TlsOptions = ConnectionOptions;

export interface OrgoApiOptions {
  /** Without a slash at its end, as `https://www.orgo.ai/api`. */
  readonly apiUrl: URL;
  readonly apiKey: string;
  readonly computerId: string;
  readonly tls?: TlsOptions;
  readonly clock: Clock;
}

export interface PasswordRequest {
  /** Ends the request, or the wait for the next one; what is thrown then is the signal's reason. */
  readonly signal: AbortSignal;
  /** Told when the API asks to wait. */
  readonly onWait?: (ms: number, why: OrgoError) => void;
}

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly text: string;
}

/** One computer, as the REST API knows it. */
export class OrgoApi {
  private readonly url: URL;

  constructor(private readonly options: OrgoApiOptions) {
    const { apiUrl, computerId } = options;
    this.url = new URL(apiUrl);
    this.url.pathname = `${apiUrl.pathname.replace(/\/+$/, '')}/computers/${encodeURIComponent(computerId)}/vnc-password`;
  }

  /**
   * What the audio WebSocket takes as its token now: it changes at every restart of the computer. Newer images
   * want `desktop_api_token`, older ones the password.
   * @throws OrgoError one of the `ORGO_API_…` codes; neither key nor password is ever in its text
   */
  async fetchToken({ signal, onWait }: PasswordRequest): Promise<string> {
    let rateLimitWait = FIRST_RATE_LIMIT_WAIT_MS;
    let unavailable = 0;
    for (;;) {
      const answer = await this.ask(signal);
      if (answer.status === 200) return passwordOf(this.url, answer.text);
      const error = statusError(this.url, answer, [this.options.apiKey]);
      let wait: number | undefined;
      if (answer.status === 429) {
        wait = rateLimitWait;
        rateLimitWait = Math.min(MAX_RATE_LIMIT_WAIT_MS, rateLimitWait * 2);
      } else if (answer.status === 503) {
        wait = UNAVAILABLE_WAITS_MS[unavailable++];
      }
      if (wait === undefined) throw error;
      onWait?.(wait, error);
      await sleep(this.options.clock, wait, signal);
    }
  }

  private async ask(signal: AbortSignal): Promise<Answer> {
    const { apiKey, tls, clock } = this.options;
    const agent = new Agent({
      connect: { ...tls } as buildConnector.BuildOptions,
      maxResponseSize: MAX_ANSWER_BYTES,
    });
    try {
      return await within(clock, ANSWER_LIMIT_MS, signal, async (bounded) => {
        const answer = await request(this.url, {
          headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json' },
          dispatcher: agent,
          signal: bounded,
          headersTimeout: 0,
          bodyTimeout: 0,
        });
        const { location } = answer.headers;
        return {
          status: answer.statusCode,
          location: typeof location === 'string' ? location : '',
          text: await answer.body.text(),
        };
      });
    } catch (thrown) {
      signal.throwIfAborted();
      throw this.failure(thrown);
    } finally {
      await agent.destroy();
    }
  }

  private failure(thrown: unknown): OrgoError {
    if (thrown instanceof OrgoError) return thrown;
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
      return badAnswer(this.url, `answered with more than ${MAX_ANSWER_BYTES} bytes`);
    }
    return networkError('ORGO_API_UNREACHABLE', this.url, thrown, [this.options.apiKey]);
  }
}
