/** The node that finds where someone speaks. */
import { systemClock } from '../../src/audio/clock';
import { registerNode, type Red } from '../shared/red';
import type { Surroundings } from '../shared/stream-node';
import { AudioVad } from './audio-vad';

const REAL: Surroundings = { clock: systemClock, defer: (fn) => void setImmediate(fn) };

export = function (RED: Red): void {
  registerNode(RED, 'orgo-audio-vad', {}, (node, config) => new AudioVad(RED, node, config, REAL));
};
