/** Reads what the fields of an open dialog hold as the run time would read it once it is deployed. */
import { badSetting } from '../../src/audio/errors';
import { isJsonObject } from '../../src/protocol/json';
import { environmentVariableOf, parseSettings } from '../../src/settings/read';
import type { Setting, Settings, SettingValues } from '../../src/settings/setting';
import type { Red, RedNode } from '../shared/red';
import { KEPT } from './kept';

/** What a list of config nodes holds while none is chosen. */
const NO_CONFIG_NODE = '_ADD_';

/** The part of `RED` that knows the environment of a flow. */
interface WithUtil {
  readonly util?: { getSetting(node: object | undefined, name: string): unknown };
}

/** What a dialog sends: the id of its node, and what each field holds, a checkbox as `true` or `false`. */
export interface DialogBody {
  readonly id?: unknown;
  readonly fields?: unknown;
}

/** The node that is edited, as it was last deployed; undefined where it never was. */
export function deployedNode(RED: Red, { id }: DialogBody): RedNode | undefined {
  if (typeof id !== 'string' || id === '') return undefined;
  const node = RED.nodes.getNode(id);
  return typeof node === 'object' && node !== null ? (node as RedNode) : undefined;
}

/**
 * The settings that the fields hold. A password that was not typed again is the one that Node-RED keeps, and an
 * environment variable is that of the node's flow.
 * @throws OrgoError `ORGO_BAD_SETTING`; no secret is in its text
 */
export function readFields<S extends Settings>(RED: Red, settings: S, body: DialogBody): SettingValues<S> {
  const node = deployedNode(RED, body);
  const fields = isJsonObject(body.fields) ? body.fields : {};
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => [
      name,
      valueOf(name, setting, fields[name], RED, node),
    ]),
  );
  return parseSettings(settings, values);
}

function valueOf(
  name: string,
  setting: Setting,
  field: unknown,
  RED: Red,
  node: RedNode | undefined,
): unknown {
  if (setting.kind === 'config' && field === NO_CONFIG_NODE) return '';
  if (setting.kind === 'secret' && field === KEPT) return keptSecret(name, node);
  const variable = environmentVariableOf(field);
  if (variable === undefined) return field;
  const { util } = RED as Red & WithUtil;
  return util?.getSetting(node, variable) ?? process.env[variable] ?? field;
}

function keptSecret(name: string, node: RedNode | undefined): unknown {
  const kept = node?.credentials?.[name];
  if (kept !== undefined) return kept;
  throw badSetting(
    `${name} is kept by Node-RED, but this node does not run, so that it can't be read: deploy the node, or type it again`,
  );
}
