/** The node that speaks in a Discord voice channel. */
import { systemClock } from '../../src/audio/clock';
import { registerNode, type Red } from '../shared/red';
import { credentialsOf } from '../shared/settings';
import { SETTINGS } from './settings';
import { VoiceNode, type Dependencies } from './voice-node';

const REAL: Dependencies = { clock: systemClock, defer: (fn) => void setImmediate(fn) };

export = function (RED: Red, dependencies: Dependencies = REAL): void {
  registerNode(
    RED,
    'orgo-discord-voice',
    { credentials: credentialsOf(SETTINGS) },
    (node, config) => new VoiceNode(RED, node, config, dependencies),
  );
};
