/** The encoder's settings: their defaults, what is allowed, and what they are to libopus. */
import { OrgoError } from '../audio/errors';
import { FRAME_LENGTHS_MS, type FrameMs, type OpusCodec } from './codec';

/** What the encoder is tuned for: any sound · speech · the least delay, at a worse quality for speech. */
export type OpusApplication = 'audio' | 'voip' | 'lowdelay';

export interface OpusEncoderSettings {
  readonly application: OpusApplication;
  /** Target, bit/s. */
  readonly bitrate: number;
  readonly frameMs: FrameMs;
  /** CPU spent: 0 least, 10 best sound. */
  readonly complexity: number;
  /** In-band forward error correction: speech is sent a second time, coarsely, in the next packet. */
  readonly fec: boolean;
  /** Loss to be ready for, percent; FEC acts only where it is above 0. */
  readonly packetLoss: number;
  /** Discontinuous transmission: packets of one or two bytes while nobody speaks. */
  readonly dtx: boolean;
}

export const DEFAULT_ENCODER_SETTINGS: OpusEncoderSettings = {
  application: 'audio',
  bitrate: 64000,
  frameMs: 20,
  complexity: 10,
  fec: false,
  packetLoss: 0,
  dtx: false,
};

/** Bounds of the numbers, both included (opus_defines.h). */
export const ENCODER_BOUNDS = {
  bitrate: { min: 6000, max: 510000 },
  complexity: { min: 0, max: 10 },
  packetLoss: { min: 0, max: 100 },
} as const;

/** OPUS_APPLICATION_… of opus_defines.h. */
const APPLICATIONS: Readonly<Record<OpusApplication, number>> = { voip: 2048, audio: 2049, lowdelay: 2051 };

/**
 * How much later the encoder's output is than its input, in samples at 48 kHz, at any rate: OPUS_GET_LOOKAHEAD, which
 * neither library can ask for. It is 2.5 ms of MDCT overlap, and except at `lowdelay` 4 ms of delay compensation
 * (opus_encoder.c of 1.3.1 and 1.4); a test measures it.
 */
export const LOOKAHEAD_SAMPLES: Readonly<Record<OpusApplication, number>> = {
  voip: 312,
  audio: 312,
  lowdelay: 120,
};

type Problems = Record<keyof OpusEncoderSettings, (value: unknown) => string | undefined>;

const PROBLEMS: Problems = {
  application: (value) =>
    typeof value === 'string' && Object.hasOwn(APPLICATIONS, value)
      ? undefined
      : `one of ${Object.keys(APPLICATIONS).join(', ')}`,
  bitrate: (value) => outside(value, ENCODER_BOUNDS.bitrate),
  frameMs: (value) =>
    FRAME_LENGTHS_MS.some((allowed) => allowed === value)
      ? undefined
      : `one of ${FRAME_LENGTHS_MS.join(', ')}`,
  complexity: (value) => outside(value, ENCODER_BOUNDS.complexity),
  fec: notBoolean,
  packetLoss: (value) => outside(value, ENCODER_BOUNDS.packetLoss),
  dtx: notBoolean,
};

/**
 * `changes` over `settings`, checked; what is undefined stays as it is.
 * @throws OrgoError `ORGO_BAD_SETTING` naming each wrong setting, its value and what is allowed
 */
export function mergeEncoderSettings(
  settings: OpusEncoderSettings,
  changes: Partial<OpusEncoderSettings>,
): OpusEncoderSettings {
  const problems: string[] = [];
  const merged: Record<string, unknown> = { ...settings };
  const given: [string, unknown][] = Object.entries(changes);
  for (const [name, value] of given) {
    if (value === undefined) continue;
    const allowed = isSetting(name) ? PROBLEMS[name](value) : 'left out: no such setting';
    if (allowed !== undefined) problems.push(`${name} is ${JSON.stringify(value)}: it must be ${allowed}`);
    merged[name] = value;
  }
  if (problems.length > 0) throw new OrgoError('ORGO_BAD_SETTING', problems.join('; '));
  return merged as unknown as OpusEncoderSettings;
}

/** Sets up a codec's encoder. The application counts only before its first frame. */
export function applyEncoderSettings(codec: OpusCodec, settings: OpusEncoderSettings, fresh: boolean): void {
  if (fresh) codec.encoderControl('application', APPLICATIONS[settings.application]);
  codec.encoderControl('bitrate', settings.bitrate);
  codec.encoderControl('complexity', settings.complexity);
  codec.encoderControl('inbandFec', settings.fec ? 1 : 0);
  codec.encoderControl('packetLossPercent', settings.packetLoss);
  codec.encoderControl('dtx', settings.dtx ? 1 : 0);
}

function isSetting(name: string): name is keyof OpusEncoderSettings {
  return Object.hasOwn(PROBLEMS, name);
}

function outside(value: unknown, { min, max }: { min: number; max: number }): string | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
    ? undefined
    : `a whole number from ${min} to ${max}`;
}

function notBoolean(value: unknown): string | undefined {
  return typeof value === 'boolean' ? undefined : 'true or false';
}
