/** The settings of the node that converts sound files. */
import { ENCODE_FORMATS } from '../../src/convert/options';
import { MAX_FRAME_MS } from '../../src/resample/options';
import { INPUT_SETTINGS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE } from '../shared/audio-description';
import { boolean, number, oneOf, optionalNumber, placed } from '../shared/settings';

/** What every encoder takes, bit/s: that of MP3 takes least. */
const BITRATE = { min: 8000, max: 320_000, integer: true, unit: 'bit/s' };

export const SETTINGS = {
  mode: oneOf('decode', ['decode', 'encode']),
  ...placed(
    { when: { mode: ['decode'] } },
    {
      sampleRate: optionalNumber({
        ...{ min: MIN_SAMPLE_RATE, max: MAX_SAMPLE_RATE, integer: true, unit: 'Hz' },
        suggestions: [8000, 16000, 24000, 44100, 48000],
      }),
      channels: oneOf('', ['', 1, 2]),
      encoding: oneOf('s16le', ['s16le', 'f32le']),
      frameMs: number(20, { min: 1, max: MAX_FRAME_MS, unit: 'ms' }),
      pieces: boolean(false),
    },
  ),
  format: oneOf('mp3', ENCODE_FORMATS, { when: { mode: ['encode'] } }),
  bitrate: number(128_000, { ...BITRATE, when: { mode: ['encode'], format: ['mp3', 'aac', 'ogg-opus'] } }),
  ...placed({ when: { mode: ['encode'] } }, INPUT_SETTINGS),
};
