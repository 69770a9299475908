/**
 * Makes what Node-RED's editor needs of the nodes' folders: every node's html, the script that each of them loads,
 * every node's words with those that all share, and the table of settings in its help and in docs/settings.md.
 * `node --import tsx scripts/editor.ts <folder of the compiled package>`
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { Settings } from '../src/settings/setting';
import { nodeHtml } from './lib/node-html';
import { catalogOf, hasDialog, NODE_TYPES, settingsOf, wordsOf } from './lib/node-settings';
import { HELP_PLACEHOLDER, helpTable, settingsPage } from './lib/settings-table';

const ROOT = join(__dirname, '..');
const RESOURCES = join(ROOT, 'resources');
/** The oldest browsers that Node-RED 4 supports know this. */
const TARGET = 'es2022';

function main(compiled: string): void {
  const schemas: Record<string, Settings> = {};
  for (const type of NODE_TYPES) {
    schemas[type] = settingsOf(type);
    writeFileSync(join(compiled, 'nodes', type, `${type}.html`), nodeHtml(type));
    const words = join(compiled, 'nodes', type, 'locales', 'en-US');
    writeFileSync(join(words, `${type}.json`), JSON.stringify({ [type]: catalogOf(type) }));
    const help = join(words, `${type}.html`);
    const table = helpTable(schemas[type], wordsOf(type));
    writeFileSync(
      help,
      readFileSync(help, 'utf8').replace(HELP_PLACEHOLDER, () => table),
    );
  }
  writeFileSync(join(ROOT, 'docs', 'settings.md'), settingsPage());
  mkdirSync(RESOURCES, { recursive: true });
  const script = join(RESOURCES, 'orgo-editor.js');
  const staged = `${script}.${process.pid}`;
  const { outputFiles } = buildSync({
    stdin: { contents: entryOf(schemas), resolveDir: ROOT },
    bundle: true,
    format: 'iife',
    target: TARGET,
    write: false,
  });
  for (const { contents } of outputFiles) writeFileSync(staged, contents);
  renameSync(staged, script);
}

/** The entry of the bundle. */
function entryOf(schemas: Readonly<Record<string, Settings>>): string {
  const types = NODE_TYPES.filter(hasDialog);
  const imports = types.map(
    (type, index) => `import { dialog as dialog${index} } from './nodes/${type}/dialog';`,
  );
  const dialogs = types.map((type, index) => `'${type}': dialog${index}`);
  return `import { installEditor } from './editor/browser';
${imports.join('\n')}
installEditor(${JSON.stringify(schemas)}, { ${dialogs.join(', ')} });`;
}

const [compiled] = process.argv.slice(2);
if (compiled === undefined) throw new Error('Name the folder of the compiled package');
main(compiled);
