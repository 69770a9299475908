/** Where to connect for a computer's sound, and with which token: looked up before every connection. */
import { OrgoError } from '../audio/errors';
import { fillTemplate, HOSTED_AUDIO_URL } from '../protocol/urls';
import type { LookupRequest, OrgoApi } from './orgo-api';

/** Where to connect, and with what. */
export interface Endpoint {
  /** The audio WebSocket's address, without our own parameters. */
  readonly url: URL;
  readonly token: string;
}

export interface EndpointSource {
  /** Whether asking again may give another token. */
  readonly renewsToken: boolean;
  /** Whether asking again may give another address. */
  readonly renewsAddress: boolean;
  /** @throws OrgoError if there is none */
  find(request: LookupRequest): Promise<Endpoint>;
}

/** An address and a password that were entered. */
export function enteredEndpoint(url: URL, password: string): EndpointSource {
  return {
    renewsToken: false,
    renewsAddress: false,
    find: () => Promise.resolve({ url, token: password }),
  };
}

/** An address that was entered; the API is asked for the password. */
export function endpointAt(url: URL, api: OrgoApi): EndpointSource {
  return {
    renewsToken: true,
    renewsAddress: false,
    find: async (request) => ({ url, token: await api.fetchToken(request) }),
  };
}

/**
 * Automatic: the API is asked for everything.
 * @param computerId used in the documented address if the API gives no `connection_url`
 * @param password if one was entered, it is used instead of the API's
 */
export function automaticEndpoint(api: OrgoApi, computerId: string, password: string): EndpointSource {
  return {
    renewsToken: password === '',
    renewsAddress: true,
    async find(request) {
      const computer = await api.fetchComputer(request);
      const url = computer.audioUrl ?? documentedUrl(computerId);
      if (password !== '') return { url, token: password };
      return { url, token: computer.token ?? (await api.fetchToken(request)) };
    },
  };
}

function documentedUrl(computerId: string): URL {
  const address = fillTemplate(HOSTED_AUDIO_URL, computerId);
  if (URL.canParse(address)) return new URL(address);
  throw new OrgoError(
    'ORGO_BAD_ADDRESS',
    `The API names no connection_url, and ${address} is not an address: check computerId, or enter audioUrl`,
  );
}
