/** The settings of the node that hears a computer. */
import { CODECS, SAMPLE_RATES } from '../../src/protocol/stream-format';
import { boolean, configNode, number, oneOf } from '../shared/settings';

const MAX_FRAME_MS = 5000;

export const SETTINGS = {
  computer: configNode('orgo-computer', { required: true, icon: 'desktop' }),
  sampleRate: oneOf(24000, SAMPLE_RATES, { unit: 'Hz' }),
  channels: oneOf(1, [1, 2]),
  /** A server that has no Opus sends PCM. */
  codec: oneOf('pcm', CODECS),
  /** 0: as it arrives. */
  frameMs: number(20, { min: 0, max: MAX_FRAME_MS, integer: true, unit: 'ms' }),
  fillGaps: boolean(true),
  autoStart: boolean(true),
};
