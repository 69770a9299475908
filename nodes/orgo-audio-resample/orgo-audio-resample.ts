/** The node that changes a stream's rate, channels, encoding, gain and frame length. */
import { systemClock } from '../../src/audio/clock';
import { registerNode, type Red } from '../shared/red';
import type { Surroundings } from '../shared/stream-node';
import { AudioResample } from './audio-resample';

const REAL: Surroundings = { clock: systemClock, defer: (fn) => void setImmediate(fn) };

export = function (RED: Red): void {
  registerNode(RED, 'orgo-audio-resample', {}, (node, config) => new AudioResample(RED, node, config, REAL));
};
