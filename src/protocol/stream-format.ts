/** Which formats go over the wire, and how a URL's query asks for one. */
import { OrgoError } from '../audio/errors';
import { samplesInMs, type Channels, type PcmFormat } from '../audio/format';
import { percentEncode } from './percent-encoding';

/** Rates at which 20 ms are a whole number of samples, Hz. */
export const SAMPLE_RATES: readonly number[] = [8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000];
export const DEFAULT_SAMPLE_RATE = 24000;
export const DEFAULT_CHANNELS: Channels = 1;
/** The document's frame length. */
export const FRAME_MS = 20;
/** Frame lengths of our extension, ms. */
export const WIRE_FRAME_MS = [5, 10, 20, 40, 60, 100] as const;
export type WireFrameMs = (typeof WIRE_FRAME_MS)[number];
/** How sound goes over the wire: s16le as in the document, or Opus packets by our extension. */
export const CODECS = ['pcm', 'opus'] as const;
export type Codec = (typeof CODECS)[number];
/** The longest Opus packet that we send, ms. */
const MAX_OPUS_MS = 60;
/** What an Opus encoder takes (opus_defines.h), bit/s. */
const BITRATE = { min: 6000, max: 510_000 };
/** Target of an Opus stream where the listener names none, bit/s. */
const DEFAULT_BITRATE: Readonly<Record<Channels, number>> = { 1: 64_000, 2: 96_000 };

/** Samples per channel in one frame of the document's wire. */
export function frameSamples(sampleRate: number): number {
  return samplesInMs(sampleRate, FRAME_MS);
}

/** What a listener may choose by our extension. */
export interface StreamChoice {
  readonly codec: Codec;
  readonly frameMs: WireFrameMs;
  /** bit/s; undefined for PCM, and to ask for the server's default */
  readonly bitrate: number | undefined;
}

export interface StreamQuery {
  readonly token: string;
  readonly format: PcmFormat;
  /** undefined where nothing of our extension was asked for: the document's stream. */
  readonly choice: StreamChoice | undefined;
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
  const format: PcmFormat = { encoding: 's16le', sampleRate, channels };
  return {
    token: tokenOf(query),
    format,
    choice: choiceOf(query, format),
    clock: query.get('clock') === '1',
  };
}

/** Frame lengths at which `codec` can be sent: those of a whole number of samples, ms. */
export function frameLengths(sampleRate: number, codec: Codec): readonly WireFrameMs[] {
  return WIRE_FRAME_MS.filter(
    (ms) => (sampleRate * ms) % 1000 === 0 && (codec === 'pcm' || ms <= MAX_OPUS_MS),
  );
}

/** All parameters of a query. */
export const STREAM_PARAMETERS = [
  'token',
  'sample_rate',
  'channels',
  'clock',
  'frame_ms',
  'codec',
  'bitrate',
] as const;

/** The query that asks for `wanted`. */
export function formatStreamQuery({ token, format, choice, clock }: StreamQuery): string {
  const asked: Record<(typeof STREAM_PARAMETERS)[number], number | string | undefined> = {
    token: percentEncode(token),
    sample_rate: format.sampleRate,
    channels: format.channels,
    clock: clock ? 1 : undefined,
    frame_ms: choice?.frameMs,
    codec: choice?.codec,
    bitrate: choice?.bitrate,
  };
  return STREAM_PARAMETERS.flatMap((name) =>
    asked[name] === undefined ? [] : `${name}=${asked[name]}`,
  ).join('&');
}

function choiceOf(query: URLSearchParams, format: PcmFormat): StreamChoice | undefined {
  if (!['frame_ms', 'codec', 'bitrate'].some((name) => query.has(name))) return undefined;
  const codec = oneOf<Codec>(query, 'codec', CODECS, 'pcm');
  const lengths = frameLengths(format.sampleRate, codec);
  const frameMs = oneOf(query, 'frame_ms', lengths, FRAME_MS, `at ${format.sampleRate} Hz with ${codec}`);
  return { codec, frameMs, bitrate: bitrateOf(query, codec, format.channels) };
}

function bitrateOf(query: URLSearchParams, codec: Codec, channels: Channels): number | undefined {
  const { min, max } = BITRATE;
  const text = given(query, 'bitrate', `a whole number from ${min} to ${max}, in bit/s`);
  if (codec === 'pcm') {
    if (text === undefined) return undefined;
    throw badParameter('bitrate', text, 'left out, or sent with codec=opus: PCM has none');
  }
  if (text === undefined) return DEFAULT_BITRATE[channels];
  const bitrate = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : NaN;
  if (bitrate >= min && bitrate <= max) return bitrate;
  throw badParameter('bitrate', text, `a whole number from ${min} to ${max}, in bit/s`);
}

const SHOWN_VALUE_LENGTH = 40;

/** @param where after the list of what is allowed, where that depends on something */
function oneOf<T extends number | string>(
  query: URLSearchParams,
  name: string,
  allowed: readonly T[],
  unset: T,
  where = '',
): T {
  const wanted = `one of ${allowed.join(', ')}${where === '' ? '' : ` ${where}`}`;
  const text = given(query, name, wanted);
  if (text === undefined) return unset;
  const found = allowed.find((value) => String(value) === text);
  if (found !== undefined) return found;
  throw badParameter(name, text, wanted);
}

/** The value of a parameter; undefined where it is left out. @throws OrgoError where it is given twice */
function given(query: URLSearchParams, name: string, wanted: string): string | undefined {
  const values = query.getAll(name);
  if (values.length <= 1) return values[0];
  const shown = values.slice(0, 2).map(quoted).join(', ');
  throw new OrgoError(
    'ORGO_BAD_SETTING',
    `${name} was given ${values.length} times (${shown}…): give it once, ${wanted}`,
  );
}

function badParameter(name: string, text: string, wanted: string): OrgoError {
  return new OrgoError('ORGO_BAD_SETTING', `${name} is ${quoted(text)}: it must be ${wanted}`);
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, SHOWN_VALUE_LENGTH));
}
