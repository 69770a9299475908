/** The settings and English words of every node, as the build, the docs and the tests need them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { MakeOwn } from '../../editor';
import type { Words } from '../../editor/node-red';
import type { Settings } from '../../src/settings/setting';

/** Where the nodes' folders are. */
export const NODES = join(__dirname, '..', '..', 'nodes');
const load = createRequire(__filename);

/** Words by key, nested. */
export interface Catalog {
  readonly [key: string]: string | Catalog;
}

/** Types of the nodes: the folders that hold settings. */
export const NODE_TYPES: readonly string[] = readdirSync(NODES).filter(
  (type) => type.startsWith('orgo-') && existsSync(join(NODES, type, 'settings.ts')),
);

/** What `nodes/<type>/settings.ts` exports as SETTINGS. */
export function settingsOf(type: string): Settings {
  const module = load(join(NODES, type, 'settings.ts')) as { SETTINGS?: Settings };
  if (!module.SETTINGS) throw new Error(`nodes/${type}/settings.ts exports no SETTINGS`);
  return module.SETTINGS;
}

/** Whether a node's dialog is more than its settings: what is its own is `nodes/<type>/dialog.ts`. */
export function hasDialog(type: string): boolean {
  return existsSync(join(NODES, type, 'dialog.ts'));
}

/** What `nodes/<type>/dialog.ts` exports; nothing of a node without one. */
export function dialogsOf(type: string): Readonly<Record<string, MakeOwn>> {
  if (!hasDialog(type)) return {};
  return { [type]: (load(join(NODES, type, 'dialog.ts')) as { dialog: MakeOwn }).dialog };
}

/** A node's English words: its own, and those that all nodes share, where it has none of its own for a key. */
export function catalogOf(type: string): Catalog {
  const own = readCatalog(type, 'locales', 'en-US', `${type}.json`)[type];
  if (typeof own !== 'object') throw new Error(`The words of ${type} are not under the key "${type}"`);
  return merge(readCatalog('shared', 'locales', 'en-US', 'words.json'), own);
}

function readCatalog(...path: string[]): Catalog {
  return JSON.parse(readFileSync(join(NODES, ...path), 'utf8')) as Catalog;
}

function merge(shared: Catalog, own: Catalog): Catalog {
  const both: Record<string, string | Catalog> = { ...shared, ...own };
  for (const [key, below] of Object.entries(shared)) {
    const mine = own[key];
    if (typeof below === 'object' && typeof mine === 'object') both[key] = merge(below, mine);
  }
  return both;
}

/** A node's English words by key. */
export function wordsOf(type: string): Words {
  const catalog = catalogOf(type);
  return (key) => {
    const found = key
      .split('.')
      .reduce<string | Catalog | undefined>(
        (at, part) => (typeof at === 'object' ? at[part] : undefined),
        catalog,
      );
    return typeof found === 'string' ? found : undefined;
  };
}
