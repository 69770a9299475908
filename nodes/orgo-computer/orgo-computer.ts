/** The config node that says which computer to hear, and with which right. */
import { systemClock } from '../../src/audio/clock';
import { registerNode, type Red } from '../shared/red';
import { keepComputer } from './computer';

export = function (RED: Red): void {
  registerNode(
    RED,
    'orgo-computer',
    { credentials: { apiKey: { type: 'password' }, password: { type: 'password' } } },
    (node, config) => {
      keepComputer(RED, node, config, systemClock);
      return {};
    },
  );
};
