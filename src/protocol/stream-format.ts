/** Which formats go over the wire, and how a URL's query asks for one. */
import { OrgoError } from '../audio/errors';
import { samplesInMs, type Channels, type PcmFormat } from '../audio/format';
import { percentEncode } from './percent-encoding';

/** Rates at which 20 ms are a whole number of samples, Hz. */
export const SAMPLE_RATES: readonly number[] = [8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000];
export const DEFAULT_SAMPLE_RATE = 24000;
export const DEFAULT_CHANNELS: Channels = 1;
export const FRAME_MS = 20;

/** Samples per channel in one frame of the wire. */
export function frameSamples(sampleRate: number): number {
  return samplesInMs(sampleRate, FRAME_MS);
}

export interface StreamQuery {
  readonly token: string;
  readonly format: PcmFormat;
  /** Whether the client asked for the clock extension. */
  readonly clock: boolean;
}

/** The token of a query: the empty string if there is none, or more than one. */
export function tokenOf(query: URLSearchParams): string {
  const tokens = query.getAll('token');
  return tokens.length === 1 ? (tokens[0] ?? '') : '';
}

/**
 * Reads what a client asks for; what it leaves out gets the protocol's defaults.
 * @throws OrgoError `ORGO_BAD_SETTING` naming the parameter, its value and what is allowed
 */
export function parseStreamQuery(query: URLSearchParams): StreamQuery {
  const sampleRate = oneOf(query, 'sample_rate', SAMPLE_RATES, DEFAULT_SAMPLE_RATE);
  const channels = oneOf<Channels>(query, 'channels', [1, 2], DEFAULT_CHANNELS);
  return {
    token: tokenOf(query),
    format: { encoding: 's16le', sampleRate, channels },
    clock: query.get('clock') === '1',
  };
}

/** The query that asks for `wanted`. */
export function formatStreamQuery(wanted: StreamQuery): string {
  const clock = wanted.clock ? '&clock=1' : '';
  const { sampleRate, channels } = wanted.format;
  const token = percentEncode(wanted.token);
  return `token=${token}&sample_rate=${sampleRate}&channels=${channels}${clock}`;
}

const SHOWN_VALUE_LENGTH = 40;

function oneOf<T extends number>(query: URLSearchParams, name: string, allowed: readonly T[], unset: T): T {
  const given = query.getAll(name);
  if (given.length === 0) return unset;
  const [text = ''] = given;
  const found = allowed.find((value) => String(value) === text);
  if (given.length === 1 && found !== undefined) return found;
  const shown = given.map((value) => JSON.stringify(value.slice(0, SHOWN_VALUE_LENGTH))).slice(0, 2);
  throw new OrgoError(
    'ORGO_BAD_SETTING',
    given.length > 1
      ? `${name} was given ${given.length} times (${shown.join(', ')}…): give it once, one of ${allowed.join(', ')}`
      : `${name} is ${shown.join('')}: it must be one of ${allowed.join(', ')}`,
  );
}
