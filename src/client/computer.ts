/** What a user enters about a computer, made into how to reach its sound. */
import type { Clock } from '../audio/clock';
import { badSetting } from '../audio/errors';
import { isWellFormed } from '../protocol/percent-encoding';
import { COMPUTER_ID_PLACEHOLDER, fillTemplate } from '../protocol/urls';
import { automaticEndpoint, endpointAt, enteredEndpoint, type EndpointSource } from './endpoint';
import type { TlsOptions } from '../network/tunnel';
import { OrgoApi } from './orgo-api';

/** How to reach one computer's sound. */
export interface Computer {
  /** Its id, or the name that it was given, or its host: the topic of its messages. */
  readonly topic: string;
  readonly endpoints: EndpointSource;
  readonly tls: TlsOptions | undefined;
}

/** As entered; empty is what was left out. */
export interface ComputerSettings {
  readonly computerId: string;
  readonly apiUrl: string;
  readonly audioUrl: string;
  readonly password: string;
  readonly apiKey: string;
}

/** An HTTP header carries no others. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;

/**
 * @param name the user's own, if any
 * @throws OrgoError `ORGO_BAD_SETTING`
 */
export function computerWith(
  { computerId, apiUrl, audioUrl, password, ...entered }: ComputerSettings,
  name: string | undefined,
  tls: TlsOptions | undefined,
  clock: Clock,
): Computer {
  const apiKey = entered.apiKey.trim();
  for (const [setting, value] of Object.entries({ computerId, password })) {
    if (!isWellFormed(value)) {
      throw badSetting(
        `${setting} holds half of a character (a lone surrogate): it is damaged, enter it again`,
      );
    }
  }
  const apiOf = (): OrgoApi => apiFor(apiUrl, apiKey, computerId, tls, clock);

  if (audioUrl === '') {
    const missing = [computerId === '' ? 'computerId' : '', apiKey === '' ? 'apiKey' : ''].filter(Boolean);
    if (missing.length > 0) {
      throw badSetting(
        `audioUrl is blank, so that the API is asked where the computer is, but ${missing.join(' and ')} ` +
          `${missing.length > 1 ? 'are' : 'is'} empty: enter the computer's id and an API key, or an audioUrl`,
      );
    }
    return { topic: computerId, endpoints: automaticEndpoint(apiOf(), computerId, password), tls };
  }

  if (computerId === '' && audioUrl.includes(COMPUTER_ID_PLACEHOLDER)) {
    throw badSetting(
      `computerId is empty, but audioUrl holds ${COMPUTER_ID_PLACEHOLDER}: enter the computer's id`,
    );
  }
  const filled = fillTemplate(audioUrl, computerId);
  if (!URL.canParse(filled)) {
    throw badSetting(
      `computerId is ${JSON.stringify(computerId)}: it makes no address of audioUrl, check it`,
    );
  }
  const url = new URL(filled);
  return {
    topic: computerId || name || url.host,
    endpoints: password === '' ? endpointAt(url, apiOf()) : enteredEndpoint(url, password),
    tls,
  };
}

function apiFor(
  apiUrl: string,
  apiKey: string,
  computerId: string,
  tls: TlsOptions | undefined,
  clock: Clock,
): OrgoApi {
  if (apiKey === '')
    throw badSetting("Neither password nor apiKey is set: enter the computer's password, or an API key");
  if (!HEADER_SAFE.test(apiKey)) {
    throw badSetting('apiKey holds a space, a line break or a letter that no key has: paste it again');
  }
  if (computerId === '') {
    throw badSetting(
      'computerId is empty: enter the id of the computer whose password the API is to be asked for',
    );
  }
  return new OrgoApi({ apiUrl: new URL(apiUrl), apiKey, computerId, clock, ...(tls && { tls }) });
}
