/** The encoder's settings: their defaults, what is allowed, and what they are to libopus. */
import { OrgoError } from '../audio/errors';
import type { Channels, PcmEncoding } from '../audio/format';
import { MAX_SAMPLE_RATE, MIN_SAMPLE_RATE } from '../resample/options';
import { parseSettings } from '../settings/read';
import { boolean, number, oneOf, type SettingValues } from '../settings/setting';
import { FRAME_LENGTHS_MS, type FrameMs, type OpusCodec } from './codec';

/** What the encoder is tuned for: any sound · speech · the least delay, at a worse quality for speech. */
export type OpusApplication = 'audio' | 'voip' | 'lowdelay';

/** Bounds of the numbers, both included (opus_defines.h). */
export const ENCODER_BOUNDS = {
  bitrate: { min: 6000, max: 510000 },
  complexity: { min: 0, max: 10 },
  packetLoss: { min: 0, max: 100 },
} as const;

/** Each setting, its default and what is allowed: for the encoder, the node, its editor and `msg.opus` alike. */
export const ENCODER_SETTINGS = {
  application: oneOf<OpusApplication>('audio', ['audio', 'voip', 'lowdelay']),
  /** The target. */
  bitrate: number(64000, { ...ENCODER_BOUNDS.bitrate, integer: true, unit: 'bit/s' }),
  frameMs: oneOf<FrameMs>(20, FRAME_LENGTHS_MS, { unit: 'ms' }),
  /** CPU spent: 0 least, 10 best sound. */
  complexity: number(10, { ...ENCODER_BOUNDS.complexity, integer: true }),
  /** Loss to be ready for; FEC acts only where it is above 0. */
  packetLoss: number(0, { ...ENCODER_BOUNDS.packetLoss, integer: true, unit: '%' }),
  /** In-band forward error correction: speech is sent a second time, coarsely, in the next packet. */
  fec: boolean(false),
  /** Discontinuous transmission: packets of one or two bytes while nobody speaks. */
  dtx: boolean(false),
};

/** What decoding gives, whatever rate Opus has inside. */
export const DECODER_SETTINGS = {
  sampleRate: number(48000, { min: MIN_SAMPLE_RATE, max: MAX_SAMPLE_RATE, integer: true, unit: 'Hz' }),
  /** Blank: those of the input. */
  channels: oneOf<Channels | ''>('', ['', 1, 2]),
  encoding: oneOf<PcmEncoding>('s16le', ['s16le', 'f32le']),
};

export type OpusEncoderSettings = Readonly<SettingValues<typeof ENCODER_SETTINGS>>;

export const DEFAULT_ENCODER_SETTINGS: OpusEncoderSettings = parseSettings(ENCODER_SETTINGS, {});

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

/**
 * `changes` over `settings`, checked; what is undefined stays as it is.
 * @throws OrgoError `ORGO_BAD_SETTING` naming each wrong setting, its value and what is allowed
 */
export function mergeEncoderSettings(
  settings: OpusEncoderSettings,
  changes: Partial<OpusEncoderSettings>,
): OpusEncoderSettings {
  const all: [string, unknown][] = Object.entries(changes);
  const given = all.filter(([, value]) => value !== undefined);
  const unknown = given.find(([name]) => !Object.hasOwn(ENCODER_SETTINGS, name));
  if (unknown) {
    const names = Object.keys(ENCODER_SETTINGS).join(', ');
    throw new OrgoError('ORGO_BAD_SETTING', `There is no setting ${unknown[0]}: there are ${names}`);
  }
  return parseSettings(ENCODER_SETTINGS, { ...settings, ...Object.fromEntries(given) });
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
