/** The node that makes Opus of PCM, in packets or as Ogg, and PCM of Opus. */
import { systemClock } from '../../src/audio/clock';
import { chooseLibrary } from '../../src/opus/choose-library';
import { registerNode, type Red } from '../shared/red';
import type { Surroundings } from '../shared/stream-node';
import { AudioOpus } from './audio-opus';

const REAL: Surroundings = { clock: systemClock, defer: (fn) => void setImmediate(fn) };

export = function (RED: Red): void {
  registerNode(
    RED,
    'orgo-audio-opus',
    {},
    (node, config) => new AudioOpus(RED, node, config, REAL, chooseLibrary()),
  );
};
