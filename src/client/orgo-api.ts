/** Asks the REST API about one computer. Its errors say what a user can do. */
import { Agent, request } from 'undici';
import type { Clock } from '../audio/clock';
import { OrgoError } from '../audio/errors';
import { percentEncode } from '../protocol/percent-encoding';
import { badAnswer, checkedToken, objectOf, passwordOf, statusError, type ApiAnswer } from './api-answers';
import { readComputerAnswer, type ComputerAnswer } from './computer-answer';
import { networkError } from '../network/network-error';
import type { Environment } from '../network/proxy';
import { sleep, within } from '../network/timeouts';
import { undiciConnector, type TlsOptions } from '../network/tunnel';

/** The whole answer must arrive within this time. */
const ANSWER_LIMIT_MS = 15_000;
/** The API never answers with more than this. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** 429: wait 1 s, doubling, at most 60 s (the API's documentation). */
const FIRST_RATE_LIMIT_WAIT_MS = 1000;
const MAX_RATE_LIMIT_WAIT_MS = 60_000;
/** 503, the desktop could not be reached: retry after these (the API's documentation). */
const UNAVAILABLE_WAITS_MS = [1000, 2000, 4000];

export interface OrgoApiOptions {
  /** Without a slash at its end, as `https://www.orgo.ai/api`. */
  readonly apiUrl: URL;
  readonly apiKey: string;
  readonly computerId: string;
  /** The audio server's. Its server name and its `rejectUnauthorized` are not used for the API. */
  readonly tls?: TlsOptions;
  /** Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read; default: this process's. */
  readonly env?: Environment;
  readonly clock: Clock;
}

export interface LookupRequest {
  /** Ends the request, or the wait before its next attempt, by throwing the signal's reason. */
  readonly signal: AbortSignal;
  /** Called when the API asks us to wait. */
  readonly onWait?: (ms: number, why: OrgoError) => void;
}

/** One computer, as the REST API knows it. The API key goes to the API's own origin alone. */
export class OrgoApi {
  private readonly computerUrl: URL;
  private readonly passwordUrl: URL;

  constructor(private readonly options: OrgoApiOptions) {
    const { apiUrl, computerId } = options;
    this.computerUrl = new URL(apiUrl);
    this.computerUrl.pathname = `${apiUrl.pathname.replace(/\/+$/, '')}/computers/${percentEncode(computerId)}`;
    this.passwordUrl = new URL(this.computerUrl);
    this.passwordUrl.pathname += '/vnc-password';
  }

  /**
   * The computer's current address and token: both change when it restarts.
   * @throws OrgoError `ORGO_COMPUTER_STARTING` or `ORGO_COMPUTER_NOT_RUNNING` if it is not running;
   * `ORGO_BAD_ADDRESS` if the address is not safe to use; else one of the `ORGO_API_…` codes
   */
  async fetchComputer(lookup: LookupRequest): Promise<ComputerAnswer> {
    const url = this.computerUrl;
    const computer = readComputerAnswer(url, objectOf(url, await this.fetch(url, lookup)));
    if (computer.token !== undefined) checkedToken(url, computer.token);
    return computer;
  }

  /**
   * The current token for the audio WebSocket: it changes at every restart of the computer. Newer images
   * want `desktop_api_token`, older ones the password.
   * @throws OrgoError one of the `ORGO_API_…` codes; neither key nor password is ever in its text
   */
  async fetchToken(lookup: LookupRequest): Promise<string> {
    return passwordOf(this.passwordUrl, await this.fetch(this.passwordUrl, lookup));
  }

  /** The body of a 200. Waits and asks again when the API says so. */
  private async fetch(url: URL, { signal, onWait }: LookupRequest): Promise<string> {
    let rateLimitWait = FIRST_RATE_LIMIT_WAIT_MS;
    let unavailable = 0;
    for (;;) {
      const answer = await this.ask(url, signal);
      if (answer.status === 200) return answer.text;
      const error = statusError(url, answer, [this.options.apiKey]);
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

  private async ask(url: URL, signal: AbortSignal): Promise<ApiAnswer> {
    const { apiKey, clock, tls, env } = this.options;
    const connecting = new AbortController();
    let agent: Agent | undefined;
    try {
      agent = new Agent({
        connect: undiciConnector(url, forTheApi(tls), env, connecting.signal),
        maxResponseSize: MAX_ANSWER_BYTES,
      });
      const dispatcher = agent;
      return await within(clock, ANSWER_LIMIT_MS, signal, noAnswer(), async (bounded) => {
        // undici looks at the signal of a request only once that is connected.
        bounded.addEventListener('abort', () => connecting.abort(), { once: true });
        const answer = await request(url, {
          headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json' },
          dispatcher,
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
      throw this.failure(url, thrown);
    } finally {
      // Abort what is still connecting first: the agent waits for it.
      connecting.abort();
      await agent?.destroy();
    }
  }

  private failure(url: URL, thrown: unknown): OrgoError {
    if (thrown instanceof OrgoError) return thrown;
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
      return badAnswer(url, `answered with more than ${MAX_ANSWER_BYTES} bytes`);
    }
    return networkError('ORGO_API_UNREACHABLE', url, thrown, [this.options.apiKey]);
  }
}

function noAnswer(): OrgoError {
  return new OrgoError(
    'ORGO_API_UNREACHABLE',
    `The API did not answer within ${ANSWER_LIMIT_MS / 1000} s: check apiUrl and the network`,
  );
}

/** Leaves out what is meant for the audio server alone: its name, and not checking its certificate. */
function forTheApi(tls: TlsOptions | undefined): TlsOptions {
  const others = { ...tls };
  delete others.servername;
  delete others.ALPNProtocols;
  delete others.rejectUnauthorized;
  return others;
}
