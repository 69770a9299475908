/** Tries a computer's settings step by step, as whoever entered them watches: key, computer, address, password, sound. */
import type { Clock } from '../audio/clock';
import type { HeardFormat } from './heard-format';
import { asError, OrgoError, type OrgoErrorCode } from '../audio/errors';
import { sameFormat, type PcmFormat } from '../audio/format';
import { levelOf } from '../audio/samples';
import { AudioConnection } from './audio-connection';
import type { Computer } from './computer';
import type { Endpoint } from './endpoint';
import { addressText } from '../network/network-error';
import type { Environment } from '../network/proxy';

/** In the order in which they are taken. The first two only where the API is asked. */
export type CheckStep = 'key' | 'computer' | 'address' | 'password' | 'sound';

/** A step that was taken, and what it showed. */
export type CheckResult =
  | { readonly step: 'key' | 'computer' | 'password' }
  | { readonly step: 'address'; readonly address: string }
  /** `peak` is 0 to 1. */
  | { readonly step: 'sound'; readonly format: HeardFormat; readonly peak: number }
  /** The last: nothing is tried after it. */
  | { readonly step: CheckStep; readonly error: Error };

export interface CheckOptions {
  readonly clock: Clock;
  /** Ends the check without another word. */
  readonly signal: AbortSignal;
  readonly env?: Environment;
}

/** What is asked for: every server has it. */
const FORMAT: PcmFormat = { encoding: 's16le', sampleRate: 24_000, channels: 1 };
/** Sound, or silence, comes within this time after `started`. */
const SOUND_LIMIT_MS = 5000;
/** So much of it is looked at. */
const LISTEN_MS = 500;

/** What the API's error says about: the key was taken where it is about the computer or its address. */
const ABOUT_COMPUTER: readonly OrgoErrorCode[] = [
  'ORGO_API_NOT_FOUND',
  'ORGO_COMPUTER_NOT_RUNNING',
  'ORGO_COMPUTER_STARTING',
];
const ABOUT_PASSWORD: readonly OrgoErrorCode[] = ['ORGO_BAD_TOKEN', 'ORGO_NO_ACCESS', 'ORGO_SECOND_FACTOR'];

/** @param tell called with each step as it is done */
export async function checkComputer(
  computer: Computer,
  options: CheckOptions,
  tell: (result: CheckResult) => void,
): Promise<void> {
  const endpoint = await lookUp(computer, options, tell);
  if (endpoint) await tryConnection(endpoint, computer, options, tell);
}

/** Undefined where there is none; then that was told. */
async function lookUp(
  { endpoints }: Computer,
  { signal }: CheckOptions,
  tell: (result: CheckResult) => void,
): Promise<Endpoint | undefined> {
  const asksApi = endpoints.renewsToken || endpoints.renewsAddress;
  // Where the API asks us to wait, whoever watches learns that now.
  const bounded = new AbortController();
  const onAbort = (): void => bounded.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const endpoint = await endpoints.find({
      signal: bounded.signal,
      onWait: (_ms, why) => bounded.abort(why),
    });
    if (asksApi) for (const step of ['key', 'computer'] as const) tell({ step });
    return endpoint;
  } catch (thrown) {
    if (!signal.aborted) tellLookUpError(asError(thrown), asksApi, tell);
    return undefined;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function tellLookUpError(error: Error, asksApi: boolean, tell: (result: CheckResult) => void): void {
  const code = error instanceof OrgoError ? error.code : undefined;
  const isAboutAddress = !asksApi || code === 'ORGO_BAD_ADDRESS';
  const isAboutComputer = code !== undefined && ABOUT_COMPUTER.includes(code);
  if (asksApi && (isAboutAddress || isAboutComputer)) tell({ step: 'key' });
  if (asksApi && isAboutAddress) tell({ step: 'computer' });
  tell({ step: isAboutAddress ? 'address' : isAboutComputer ? 'computer' : 'key', error });
}

/** Resolves when the connection has ended. */
async function tryConnection(
  { url, token }: Endpoint,
  { tls }: Computer,
  { clock, signal, env }: CheckOptions,
  tell: (result: CheckResult) => void,
): Promise<void> {
  let done: readonly CheckStep[] = [];
  let heard: { readonly format: HeardFormat; bytes: number; peak: number } | undefined;
  let cancelLimit = (): void => undefined;

  const finish = (step: CheckStep): void => {
    if (done.includes(step)) return;
    done = [...done, step];
    if (step === 'address') tell({ step, address: addressText(url) });
    else if (step === 'password') tell({ step });
  };
  const fail = (error: Error): void => {
    const isAboutPassword = error instanceof OrgoError && ABOUT_PASSWORD.includes(error.code);
    // Some servers say by HTTP, before there is a WebSocket, that the password is wrong.
    if (isAboutPassword) finish('address');
    const opened = done.includes('address');
    tell({ step: isAboutPassword ? 'password' : opened ? 'sound' : 'address', error });
  };

  const connection = new AudioConnection(
    { url, token, format: FORMAT, clock, ...(tls && { tls }), ...(env && { env }) },
    {
      onOpen: () => finish('address'),
      onStarted({ format }) {
        finish('password');
        if (heard && sameFormat(heard.format, format)) return;
        heard = { format, bytes: 0, peak: 0 };
        cancelLimit();
        cancelLimit = clock.after(SOUND_LIMIT_MS, () => {
          fail(noSound(url));
          connection.close();
        });
      },
      onAudio(data) {
        if (!heard) return;
        heard.bytes += data.length;
        heard.peak = Math.max(heard.peak, levelOf(data, 's16le').peak);
        const { sampleRate, channels } = heard.format;
        if (heard.bytes < (2 * channels * sampleRate * LISTEN_MS) / 1000) return;
        tell({ step: 'sound', format: heard.format, peak: heard.peak });
        heard = undefined;
        connection.close();
      },
      onClock: () => undefined,
      onNotice: () => undefined,
      onEnd(error) {
        cancelLimit();
        if (error && !signal.aborted) fail(error);
      },
    },
  );
  const onAbort = (): void => connection.close();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  await connection.closed;
  signal.removeEventListener('abort', onAbort);
}

function noSound(url: URL): OrgoError {
  return new OrgoError(
    'ORGO_CAPTURE_FAILED',
    `${addressText(url)} took the password, and then sent no sound for ${SOUND_LIMIT_MS / 1000} s: look at the computer's sound server`,
  );
}
