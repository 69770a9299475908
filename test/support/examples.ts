/** The example flows, made ready to run as a user would: imported under new ids, settings filled in. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FlowNode } from './node-red';
import { ROOT } from './packed-package';

export type Flow = readonly FlowNode[];

/** `hear-this-computer`: under new ids, as the editor's import makes them up. */
export async function importExample(name: string): Promise<Flow> {
  const text = await readFile(join(ROOT, 'examples', `${name}.json`), 'utf8');
  const ids = (JSON.parse(text) as FlowNode[]).map(({ id }) => id);
  const renamed = ids.reduce(
    (json, id) => json.replaceAll(`"${id}"`, `"${randomBytes(8).toString('hex')}"`),
    text,
  );
  return JSON.parse(renamed) as FlowNode[];
}

/** Fills in settings of every node of `type`; credentials are added to those that stand in the example. */
export function fillIn(flow: Flow, type: string, settings: Readonly<Record<string, unknown>>): Flow {
  return flow.map((node) => {
    if (node.type !== type) return node;
    const credentials = { ...asObject(node['credentials']), ...asObject(settings['credentials']) };
    return { ...node, ...settings, credentials };
  });
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** The one node of `type`, and of `name` where it is given. */
export function nodeOf(flow: Flow, type: string, name?: string): FlowNode {
  const [node, second] = flow.filter(
    (each) => each.type === type && (name === undefined || each.name === name),
  );
  if (!node || second) throw new Error(`the flow holds not exactly one ${type} ${name ?? ''}`);
  return node;
}

/** Sets environment variables of the flow, as its properties dialog does. */
export function withFlowEnv(flow: Flow, values: Readonly<Record<string, string>>): Flow {
  const { env } = nodeOf(flow, 'tab') as FlowNode & { env: { name: string }[] };
  const known = env.map((entry) => {
    const value = values[entry.name];
    return value === undefined ? entry : { name: entry.name, type: 'str', value };
  });
  return flow.map((node) => (node.type === 'tab' ? { ...node, env: known } : node));
}
