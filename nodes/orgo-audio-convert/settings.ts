/** The settings of the node that converts sound files. */
import { DECODE_SETTINGS, ENCODE_FORMATS } from '../../src/convert/options';
import { INPUT_SETTINGS } from '../shared/audio-description';
import { boolean, number, oneOf, placed } from '../shared/settings';

/** What every encoder takes, bit/s: that of MP3 takes least. */
const BITRATE = { min: 8000, max: 320_000, integer: true, unit: 'bit/s' };

export const SETTINGS = {
  mode: oneOf('decode', ['decode', 'encode']),
  ...placed(
    { when: { mode: ['decode'] } },
    {
      ...DECODE_SETTINGS,
      pieces: boolean(false),
    },
  ),
  format: oneOf('mp3', ENCODE_FORMATS, { when: { mode: ['encode'] } }),
  bitrate: number(128_000, { ...BITRATE, when: { mode: ['encode'], format: ['mp3', 'aac', 'ogg-opus'] } }),
  ...placed({ when: { mode: ['encode'] } }, INPUT_SETTINGS),
};
