/** Reads a computer's address and credentials from the config node, for the nodes that listen to it. */
import type { Clock } from '../../src/audio/clock';
import { errorText, OrgoError } from '../../src/audio/errors';
import {
  automaticEndpoint,
  endpointAt,
  enteredEndpoint,
  type EndpointSource,
} from '../../src/client/endpoint';
import { OrgoApi, type TlsOptions } from '../../src/client/orgo-api';
import { isWellFormed } from '../../src/protocol/percent-encoding';
import { COMPUTER_ID_PLACEHOLDER, fillTemplate } from '../../src/protocol/urls';
import type { NodeConfig, Red, RedNode } from '../shared/red';
import { parseSettings } from '../shared/settings';
import { tlsOptionsOf } from '../shared/tls';
import { SETTINGS } from './settings';

/** How to reach one computer's sound. */
export interface Computer {
  /** Its id, or the config node's name, or its host: the topic of its messages. */
  readonly topic: string;
  readonly endpoints: EndpointSource;
  readonly tls: TlsOptions | undefined;
}

/** An HTTP header carries no others. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;

/** By config node: the computer, or the error in its settings. */
const computers = new WeakMap<object, Computer | Error>();

/**
 * Reads a config node and keeps the result for {@link computerOf}.
 * @throws OrgoError `ORGO_BAD_SETTING`
 */
export function keepComputer(RED: Red, node: RedNode, config: NodeConfig, clock: Clock): void {
  try {
    computers.set(node, readComputer(RED, node, config, clock));
  } catch (thrown) {
    computers.set(node, thrown instanceof Error ? thrown : new Error(errorText(thrown)));
    throw thrown;
  }
}

/**
 * The computer of the config node with this id.
 * @throws OrgoError `ORGO_BAD_SETTING` if there is no such node, or its settings are wrong
 */
export function computerOf(RED: Red, id: string): Computer {
  const node = id === '' ? undefined : RED.nodes.getNode(id);
  const kept = typeof node === 'object' && node !== null ? computers.get(node) : undefined;
  if (kept === undefined) {
    const problem = id === '' ? 'No computer is chosen' : `There is no computer ${id}`;
    throw new OrgoError('ORGO_BAD_SETTING', `${problem}: choose one in the node`);
  }
  if (kept instanceof Error) {
    throw new OrgoError('ORGO_BAD_SETTING', `The chosen computer can't be used: ${kept.message}`);
  }
  return kept;
}

function readComputer(RED: Red, node: RedNode, config: NodeConfig, clock: Clock): Computer {
  const settings = parseSettings(SETTINGS, config, node.credentials ?? {});
  const { computerId, apiUrl, audioUrl, tls: tlsId, password } = settings;
  const apiKey = settings.apiKey.trim();
  for (const [setting, value] of Object.entries({ computerId, password })) {
    if (!isWellFormed(value)) {
      throw bad(`${setting} holds half of a character (a lone surrogate): it is damaged, enter it again`);
    }
  }
  const tls = tlsOptionsOf(RED, tlsId);
  const apiOf = (): OrgoApi => apiFor(apiUrl, apiKey, computerId, tls, clock);

  if (audioUrl === '') {
    const missing = [computerId === '' ? 'computerId' : '', apiKey === '' ? 'apiKey' : ''].filter(Boolean);
    if (missing.length > 0) {
      throw bad(
        `audioUrl is blank, so that the API is asked where the computer is, but ${missing.join(' and ')} ` +
          `${missing.length > 1 ? 'are' : 'is'} empty: enter the computer's id and an API key, or an audioUrl`,
      );
    }
    return { topic: computerId, endpoints: automaticEndpoint(apiOf(), computerId, password), tls };
  }

  if (computerId === '' && audioUrl.includes(COMPUTER_ID_PLACEHOLDER)) {
    throw bad(`computerId is empty, but audioUrl holds ${COMPUTER_ID_PLACEHOLDER}: enter the computer's id`);
  }
  const filled = fillTemplate(audioUrl, computerId);
  if (!URL.canParse(filled)) {
    throw bad(`computerId is ${JSON.stringify(computerId)}: it makes no address of audioUrl, check it`);
  }
  const url = new URL(filled);
  return {
    topic: computerId || node.name || url.host,
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
    throw bad("Neither password nor apiKey is set: enter the computer's password, or an API key");
  if (!HEADER_SAFE.test(apiKey)) {
    throw bad('apiKey holds a space, a line break or a letter that no key has: paste it again');
  }
  if (computerId === '') {
    throw bad('computerId is empty: enter the id of the computer whose password the API is to be asked for');
  }
  return new OrgoApi({ apiUrl: new URL(apiUrl), apiKey, computerId, clock, ...(tls && { tls }) });
}

function bad(problem: string): OrgoError {
  return new OrgoError('ORGO_BAD_SETTING', problem);
}
