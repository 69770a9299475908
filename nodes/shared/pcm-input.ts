/** Reads PCM out of messages: described by `msg.audio`, by a WAV header, or by the node's own settings. */
import { OrgoError } from '../../src/audio/errors';
import {
  bytesPerSample,
  isPcmEncoding,
  sameFormat,
  type Channels,
  type PcmFormat,
} from '../../src/audio/format';
import type { PcmFrame } from '../../src/audio/frame';
import { number, oneOf, type SettingValues } from './settings';
import type { Message } from './red';

/** Rates that a message may carry, Hz. */
export const MIN_SAMPLE_RATE = 8000;
export const MAX_SAMPLE_RATE = 192_000;

/** The settings of a node that takes PCM: what a message without `msg.audio` holds. */
export const INPUT_SETTINGS = {
  inputEncoding: oneOf('s16le', ['s16le', 'f32le']),
  inputSampleRate: number(24000, { min: MIN_SAMPLE_RATE, max: MAX_SAMPLE_RATE, integer: true }),
  inputChannels: oneOf(1, [1, 2]),
};
export type InputSettings = SettingValues<typeof INPUT_SETTINGS>;

export interface PcmInput {
  /** `position` is the message's own, or 0 where it gives none. */
  readonly frame: PcmFrame;
  /** Whether `time` came with the message; else it is the time at which it came. */
  readonly timed: boolean;
}

/** Reads one stream of messages; what is no whole sample waits for the next message. */
export class PcmReader {
  private rest: Buffer = Buffer.alloc(0);
  private format: PcmFormat | undefined;

  constructor(private readonly settings: InputSettings) {}

  /**
   * The sound of `msg`; of 0 samples where it holds none.
   * @param now epoch ms
   * @throws OrgoError `ORGO_BAD_INPUT` naming what came and what is wanted
   */
  read(msg: Message, now: number): PcmInput {
    const { payload } = msg;
    if (!Buffer.isBuffer(payload)) {
      throw new OrgoError('ORGO_BAD_INPUT', `msg.payload is ${describe(payload)}: a Buffer of PCM is wanted`);
    }
    const description = isObject(msg.audio) ? msg.audio : undefined;
    const format = this.formatOf(description);
    if (!this.format || !sameFormat(format, this.format)) this.rest = Buffer.alloc(0);
    this.format = format;
    const data = this.rest.length > 0 ? Buffer.concat([this.rest, payload]) : payload;
    const size = bytesPerSample(format);
    const samples = Math.floor(data.length / size);
    this.rest = Buffer.from(data.subarray(samples * size));
    const time = finite(description?.['time']);
    return {
      timed: time !== undefined,
      frame: {
        format,
        data: data.subarray(0, samples * size),
        samples,
        position: finite(description?.['position']) ?? 0,
        time: time ?? now,
        gap: Math.max(0, Math.round(finite(description?.['gap']) ?? 0)),
        latencyMs: finite(description?.['latencyMs']) ?? 0,
      },
    };
  }

  private formatOf(description: Readonly<Record<string, unknown>> | undefined): PcmFormat {
    const { inputEncoding, inputSampleRate, inputChannels } = this.settings;
    if (!description)
      return { encoding: inputEncoding, sampleRate: inputSampleRate, channels: inputChannels };
    const { encoding, sampleRate, channels } = description;
    if (!isPcmEncoding(encoding)) throw badProperty('encoding', encoding, 's16le or f32le');
    if (!isSampleRate(sampleRate)) {
      throw badProperty(
        'sampleRate',
        sampleRate,
        `a whole number from ${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE}`,
      );
    }
    if (!isChannels(channels)) throw badProperty('channels', channels, '1 or 2');
    return { encoding, sampleRate, channels };
  }
}

function isSampleRate(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= MIN_SAMPLE_RATE && Number(value) <= MAX_SAMPLE_RATE;
}

function isChannels(value: unknown): value is Channels {
  return value === 1 || value === 2;
}

function badProperty(name: string, value: unknown, wanted: string): OrgoError {
  return new OrgoError('ORGO_BAD_INPUT', `msg.audio.${name} is ${describe(value)}: it must be ${wanted}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

const SHOWN_LENGTH = 40;

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, SHOWN_LENGTH))}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `of type ${Object.prototype.toString.call(value).slice(8, -1)}`;
}
