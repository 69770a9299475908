/** Every setting of every node: the editor, the run time and the documentation agree on what it may be. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { createEditor, PACKAGE, type Definition } from '../../editor';
import type { EditorNode, Field, JQuery } from '../../editor/node-red';
import type { Red } from '../../nodes/shared/red';
import { nodeHtml } from '../../scripts/lib/node-html';
import { dialogsOf, NODE_TYPES, settingsOf, wordsOf } from '../../scripts/lib/node-settings';
import { HELP_PLACEHOLDER, helpTable, settingsPage } from '../../scripts/lib/settings-table';
import type { Setting, Settings } from '../../src/settings/setting';
import { FakeRed } from './fake-red';

const ROOT = join(__dirname, '..', '..');
const requireNode = createRequire(__filename);
const MAX_STATUS_LENGTH = 19;
const LONGEST = { library: 'native', rate: '48000', from: '8000', to: '48000', kbits: '510', port: '65535' };

function read(type: string, ...path: string[]): string {
  return readFileSync(join(ROOT, 'nodes', type, ...path), 'utf8');
}

/** Runs a node's html as the editor does. @returns what it registers, and the rows of its dialog */
function load(type: string, settings: Settings): { definition: Definition; rows: string } {
  let rows = '';
  const element = {
    html(html: string) {
      rows = html;
    },
    is: () => false,
  } as unknown as Field;
  const $ = (() => element) as unknown as JQuery;
  const words = wordsOf(type);
  const prefix = `${PACKAGE}/${type}:${type}.`;
  const translate = (key: string): string => words(key.slice(prefix.length)) ?? key;
  const orgoEditor = createEditor(
    { [type]: settings },
    { $, translate, place: () => ({ protocol: 'http:', host: 'a', hostname: 'a', nodeRoot: '/' }) },
    dialogsOf(type),
  );
  let definition: unknown;
  const registerType = (_type: string, given: unknown): void => void (definition = given);
  const [, script = ''] = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(nodeHtml(type)) ?? [];
  runInNewContext(script, { RED: { nodes: { registerType } }, orgoEditor, $ });
  return { definition: definition as Definition, rows };
}

/** What is worth trying with a setting: its bounds, one step beyond, blank, nonsense. */
function candidatesOf(setting: Setting): readonly unknown[] {
  const nonsense = ['', ' ', 'nonsense', '0x10', 'Infinity'];
  switch (setting.kind) {
    case 'number': {
      const { min, max, or } = setting;
      const within = [min, String(max), ` ${max} `, (min + max) / 3];
      return [...within, min - 1, max + 1, ...(or === undefined ? [] : [or, or + 0.5]), ...nonsense];
    }
    case 'choice':
      return [...setting.values, ...setting.values.map(String), 3, 'opus', ...nonsense];
    case 'boolean':
      return [true, 'false', '1', 'perhaps', ''];
    case 'text':
      return [
        ...[
          'desk',
          'a b',
          'a/b',
          '.',
          '/audio',
          '/a b',
          '/a/../b',
          '/für',
          'https://a.example, http://b:3000/',
        ],
        ...['wss://a/audio', 'https://a/api', 'https://', '*', 'null', 'a\u0001', '${HOST}/x', ''],
      ];
    case 'secret':
    case 'config':
      return [];
  }
}

/** What a real node says about one of its settings; undefined where it takes it. */
async function refusalOf(type: string, name: string, value: unknown): Promise<string | undefined> {
  const red = new FakeRed();
  const register = requireNode(`../../nodes/${type}/${type}.ts`) as (RED: Red) => void;
  register(red);
  const node = red.create(type, { [name]: value });
  await node.close();
  return node.errors.find((error) => error.startsWith(`${name} is `) && !error.includes('is blank, so that'));
}

for (const type of NODE_TYPES) {
  describe(`the settings of ${type}`, () => {
    const words = wordsOf(type);
    let settings: Settings;
    let definition: Definition;
    let rows: string;
    before(() => {
      settings = settingsOf(type);
      ({ definition, rows } = load(type, settings));
    });

    it('are all in the editor, with the defaults of the run time', () => {
      const kept = Object.entries(settings).filter(([, { kind }]) => kind !== 'secret');
      const expected = kept.map(([name, { fallback }]) => [name, fallback ?? '']);
      const actual = Object.entries(definition.defaults).map(([name, { value }]) => [name, value]);
      assert.deepEqual(actual, [['name', ''], ...expected]);
      const secrets = Object.keys(settings).filter((name) => settings[name]?.kind === 'secret');
      assert.deepEqual(Object.keys(definition.credentials), secrets);
    });

    it('are taken and refused by the editor as by the node', async () => {
      const node: EditorNode = { _: (key) => key, audioUrl: 'ws://127.0.0.1:8765/audio' };
      for (const [name, setting] of Object.entries(settings)) {
        const entry = definition.defaults[name];
        if (!entry?.validate) continue;
        const validate = entry.validate.bind(node);
        for (const value of candidatesOf(setting)) {
          const refusal = await refusalOf(type, name, value);
          assert.equal(validate(value), refusal ?? true, `${name}: ${JSON.stringify(value)}`);
        }
        for (const value of [undefined, null, '${ORGO_SETTING}']) {
          assert.equal(validate(value), true, `${name}: ${String(value)}`);
        }
      }
    });

    it('have a row each, tied to its label, with a text for all that is shown', () => {
      const inputs = [...rows.matchAll(/<(?:input|select)[^>]* id="([^"]+)"/g)].map(([, id]) => id ?? '');
      const labels = [...rows.matchAll(/<label for="([^"]+)"/g)].map(([, id]) => id ?? '');
      assert.deepEqual(labels.toSorted(), inputs.toSorted());
      for (const name of ['name', ...Object.keys(settings)]) {
        assert.ok(
          inputs.some((id) => id.endsWith(`input-${name}`)),
          `${name} has no row`,
        );
        assert.ok(words(`label.${name}`) ?? settings[name]?.label, `${name} has no label`);
      }
      assert.doesNotMatch(rows, /undefined/);
      for (const button of rows.match(/<button[^>]*>/g) ?? []) assert.match(button, /aria-label="[^"]+"/);
    });

    it('are in the help, whose words are all there', () => {
      const help = read(type, 'locales', 'en-US', `${type}.html`);
      for (const section of ['Inputs', 'Outputs', 'Details', 'References']) {
        assert.ok(help.includes(`<h3>${section}</h3>`), section);
      }
      assert.ok(help.startsWith(`<script type="text/html" data-help-name="${type}">`));
      assert.equal(help.split(HELP_PLACEHOLDER).length, 2, 'the table of settings has one place');
      const table = helpTable(settings, words);
      for (const name of Object.keys(settings)) assert.ok(table.includes(`<code>${name}</code>`), name);
    });

    it('belong to a node that is registered in the open', () => {
      const html = nodeHtml(type);
      assert.ok(html.includes(`RED.nodes.registerType('${type}', {`));
      assert.ok(html.includes(`<script src="resources/${PACKAGE}/orgo-editor.js"></script>`));
      assert.ok(html.includes(`data-template-name="${type}"`));
    });

    it('come with status texts of less than 20 characters', () => {
      const catalog = JSON.parse(read(type, 'locales', 'en-US', `${type}.json`)) as Record<
        string,
        { status: Record<string, string> }
      >;
      for (const text of Object.values(catalog[type]?.status ?? {})) {
        const shown = text
          .replace(/ __device__$/, '')
          .replace(/__(\w+)__/g, (_, name: string) => (LONGEST as Record<string, string>)[name] ?? '256');
        assert.ok(shown.length <= MAX_STATUS_LENGTH, shown);
      }
    });
  });
}

it('docs/settings.md is what the settings say (npm run build writes it)', () => {
  assert.equal(readFileSync(join(ROOT, 'docs', 'settings.md'), 'utf8'), settingsPage());
});

it('the words are found under the name of this package', () => {
  const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { name: string };
  assert.equal(PACKAGE, name);
});
