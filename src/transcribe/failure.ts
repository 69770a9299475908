/** How a service fails, in words a user can act on. */
import { OrgoError, type OrgoErrorCode } from '../audio/errors';
import { addressText } from '../network/network-error';
import { redact } from '../network/redact';

/** What a failure means for the next try. */
export type FailureKind =
  /** The key is wrong, or may not do this: it is tried again after 30 s, or when a message says so. */
  | 'key'
  /** The service will not do this as it was asked: the model, the language, the quota. */
  | 'refused'
  /** The network, the service or its answer failed: it is tried again soon. */
  | 'failed'
  /** What came makes no sense. */
  | 'nonsense';

const CODES: Readonly<Record<FailureKind, OrgoErrorCode>> = {
  key: 'ORGO_SERVICE_KEY_REJECTED',
  refused: 'ORGO_SERVICE_REFUSED',
  failed: 'ORGO_SERVICE_FAILED',
  nonsense: 'ORGO_SERVICE_BAD_ANSWER',
};

/** An error of a service, and what it means for the next try. */
export class ServiceFailure extends OrgoError {
  /** @param retryAfterMs the service asked for so long a wait */
  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly retryAfterMs?: number,
    /** In the service's own words; blank where it said nothing. */
    readonly said = '',
  ) {
    super(CODES[kind], message);
  }
}

/** Whom a text is about, and what must not stand in it. */
export interface Named {
  readonly url: URL;
  readonly apiKey: string;
}

/**
 * What a service said, as an error. A service may repeat the key in it: it is taken out.
 * @param said in the service's own words; blank where it said nothing
 */
export function saidBy(
  { url, apiKey }: Named,
  kind: FailureKind,
  said: string,
  retryAfterMs?: number,
): ServiceFailure {
  const words = redact(said, [apiKey]);
  const quoted = words === '' ? '' : `: “${words}”`;
  return new ServiceFailure(kind, `${addressText(url)} ${MEANINGS[kind](quoted)}`, retryAfterMs, words);
}

const MEANINGS: Readonly<Record<FailureKind, (said: string) => string>> = {
  key: (said) => `rejected the API key${said}. Enter a valid one; it is tried again after 30 s`,
  refused: (said) => `refused${said}. Check the model, the language and your plan there`,
  failed: (said) => `failed${said}`,
  nonsense: (said) => `sent an answer that makes no sense${said}. Check the address and the service`,
};
