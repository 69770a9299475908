/** Reads `msg.audio`, and the settings that stand in for it where a message has none. */
import { badInput, type OrgoError } from '../../src/audio/errors';
import { isPcmEncoding, type Channels, type PcmFormat } from '../../src/audio/format';
import type { Message } from './red';
import { number, oneOf, placed, type SettingValues } from './settings';

/** Rates that a message may carry, Hz. */
export const MIN_SAMPLE_RATE = 8000;
export const MAX_SAMPLE_RATE = 192_000;

/** The settings of a node that takes PCM: what a message without `msg.audio` holds. */
export const INPUT_SETTINGS = placed(
  { section: 'undescribed' },
  {
    inputEncoding: oneOf('s16le', ['s16le', 'f32le']),
    inputSampleRate: number(24000, {
      min: MIN_SAMPLE_RATE,
      max: MAX_SAMPLE_RATE,
      integer: true,
      unit: 'Hz',
    }),
    inputChannels: oneOf(1, [1, 2]),
  },
);
export type InputSettings = SettingValues<typeof INPUT_SETTINGS>;

/** `msg.audio` as it came: nothing in it has been checked. */
export type AudioDescription = Readonly<Record<string, unknown>>;

/** `msg.audio`; undefined where a message has none. */
export function descriptionOf(msg: Message): AudioDescription | undefined {
  const { audio } = msg;
  return typeof audio === 'object' && audio !== null ? (audio as AudioDescription) : undefined;
}

/**
 * The format of PCM that came with `description`; by the settings where there is none.
 * @throws OrgoError `ORGO_BAD_INPUT` naming what came and what is wanted
 */
export function pcmFormatOf(description: AudioDescription | undefined, settings: InputSettings): PcmFormat {
  const { inputEncoding, inputSampleRate, inputChannels } = settings;
  if (!description) return { encoding: inputEncoding, sampleRate: inputSampleRate, channels: inputChannels };
  const { encoding } = description;
  if (!isPcmEncoding(encoding)) throw badProperty('encoding', encoding, 's16le or f32le');
  return { encoding, ...rateAndChannelsOf(description) };
}

/** @throws OrgoError `ORGO_BAD_INPUT` naming what came and what is wanted */
export function rateAndChannelsOf({ sampleRate, channels }: AudioDescription): {
  sampleRate: number;
  channels: Channels;
} {
  if (!isSampleRate(sampleRate)) {
    const wanted = `a whole number from ${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE}`;
    throw badProperty('sampleRate', sampleRate, wanted);
  }
  if (channels !== 1 && channels !== 2) throw badProperty('channels', channels, '1 or 2');
  return { sampleRate, channels };
}

/** That a property of `msg.audio` is not what is wanted. */
export function badProperty(name: string, value: unknown, wanted: string): OrgoError {
  return badInput(`msg.audio.${name} is ${inWords(value)}: it must be ${wanted}`);
}

/** The stream that `msg` names, by `msg.audio.stream` or by its topic; undefined where it names none. */
export function streamNameOf(msg: Message): string | undefined {
  for (const name of [descriptionOf(msg)?.['stream'], msg.topic]) {
    if (typeof name === 'number') return String(name);
    if (typeof name === 'string' && name !== '') return name;
  }
  return undefined;
}

const DEFAULT_REASON = 'stopped';

/** Why the stream ends that `msg` ends. */
export function reasonOf(msg: Message): string {
  const reason = descriptionOf(msg)?.['reason'];
  return typeof reason === 'string' && reason !== '' ? reason : DEFAULT_REASON;
}

/** Whether `value` is a rate that a message may carry. */
export function isSampleRate(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= MIN_SAMPLE_RATE && Number(value) <= MAX_SAMPLE_RATE;
}

/**
 * What a message asks for.
 * @throws OrgoError `ORGO_BAD_INPUT` where `msg.action` is none of `known`
 */
export function actionOf<Action extends string>({ action }: Message, known: readonly Action[]): Action {
  const found = known.find((name) => name === action);
  if (found !== undefined) return found;
  const wanted = [known.slice(0, -1).join(', '), ...known.slice(-1)].join(' or ');
  const came = typeof action === 'string' ? JSON.stringify(action.slice(0, SHOWN_LENGTH)) : inWords(action);
  throw badInput(`msg.action is ${came}: it must be ${wanted}`);
}

const SHOWN_LENGTH = 40;

/** What came, for an error: short, whatever it is. */
export function inWords(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, SHOWN_LENGTH))}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `of type ${Object.prototype.toString.call(value).slice(8, -1)}`;
}
