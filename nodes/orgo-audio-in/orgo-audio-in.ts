/** The node that hears a computer. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/audio/clock';
import { registerNode, type Red } from '../shared/red';
import { AudioIn, type Dependencies } from './audio-in';

const REAL: Dependencies = { clock: systemClock, random: Math.random, newId: randomUUID };

export = function (RED: Red, dependencies: Dependencies = REAL): void {
  registerNode(RED, 'orgo-audio-in', {}, (node, config) => new AudioIn(RED, node, config, dependencies));
};
