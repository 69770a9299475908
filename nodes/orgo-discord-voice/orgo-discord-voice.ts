/** The node that speaks in a Discord voice channel. */
import { registerNode, type Red } from '../shared/red';
import { credentialsOf } from '../shared/settings';
import { SYSTEM_DEPENDENCIES } from '../shared/stream-node';
import { SETTINGS } from './settings';
import { VoiceNode, type VoiceNodeDependencies } from './voice-node';

export = function (RED: Red, dependencies: VoiceNodeDependencies = SYSTEM_DEPENDENCIES): void {
  registerNode(
    RED,
    'orgo-discord-voice',
    { credentials: credentialsOf(SETTINGS) },
    (node, config) => new VoiceNode(RED, node, config, dependencies),
  );
};
