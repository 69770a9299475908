/** The config node that says which computer to hear, and with which right. */
import { systemClock, type Clock } from '../../src/audio/clock';
import { registerNode, type Red } from '../shared/red';
import { credentialsOf } from '../shared/settings';
import { keepComputer } from './computer';
import { SETTINGS } from './settings';
import { addTestRoute } from './test-route';

export = function (RED: Red, { clock }: { readonly clock: Clock } = { clock: systemClock }): void {
  registerNode(RED, 'orgo-computer', { credentials: credentialsOf(SETTINGS) }, (node, config) => {
    keepComputer(RED, node, config, clock);
    return {};
  });
  addTestRoute(RED, clock);
};
