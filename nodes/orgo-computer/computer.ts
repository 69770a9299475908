/** Keeps what each config node says about its computer, for the nodes that hear it. */
import type { Clock } from '../../src/audio/clock';
import { asError, badSetting } from '../../src/audio/errors';
import { computerWith, type Computer } from '../../src/client/computer';
import type { NodeConfig, Red, RedNode } from '../shared/red';
import { parseSettings, type SettingValues } from '../shared/settings';
import { tlsOptionsOf } from '../shared/tls';
import { SETTINGS } from './settings';

/** By config node: the computer, or the error in its settings. */
const computers = new WeakMap<object, Computer | Error>();

/** @throws OrgoError `ORGO_BAD_SETTING` */
export function readComputer(
  RED: Red,
  settings: SettingValues<typeof SETTINGS>,
  name: string | undefined,
  clock: Clock,
): Computer {
  return computerWith(settings, name, tlsOptionsOf(RED, settings.tls), clock);
}

/**
 * Reads a config node and keeps the result for {@link computerOf}.
 * @throws OrgoError `ORGO_BAD_SETTING`
 */
export function keepComputer(RED: Red, node: RedNode, config: NodeConfig, clock: Clock): void {
  try {
    computers.set(
      node,
      readComputer(RED, parseSettings(SETTINGS, config, node.credentials ?? {}), node.name, clock),
    );
  } catch (thrown) {
    computers.set(node, asError(thrown));
    throw thrown;
  }
}

/**
 * The computer of the config node with this id.
 * @throws OrgoError `ORGO_BAD_SETTING` if there is no such node, or its settings are wrong
 */
export function computerOf(RED: Red, id: string): Computer {
  const node = id === '' ? undefined : RED.nodes.getNode(id);
  const kept = typeof node === 'object' && node !== null ? computers.get(node) : undefined;
  if (kept === undefined) {
    const problem = id === '' ? 'No computer is chosen' : `There is no computer ${id}`;
    throw badSetting(`${problem}: choose one in the node`);
  }
  if (kept instanceof Error) {
    throw badSetting(`The chosen computer can't be used: ${kept.message}`);
  }
  return kept;
}
