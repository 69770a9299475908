import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { readServerSettings, SETTINGS } from '../../nodes/orgo-audio-server/settings';

const TYPE = 'orgo-audio-server';
const FOLDER = join(__dirname, '..', '..', 'nodes', TYPE);
const html = readFileSync(join(FOLDER, `${TYPE}.html`), 'utf8');
const help = readFileSync(join(FOLDER, 'locales', 'en-US', `${TYPE}.html`), 'utf8');
const catalog = JSON.parse(readFileSync(join(FOLDER, 'locales', 'en-US', `${TYPE}.json`), 'utf8')) as {
  [TYPE]: Record<string, Record<string, string> | string>;
};

interface Default {
  readonly value: unknown;
  readonly type?: string;
  readonly validate?: (value: unknown) => boolean;
}

/** What the dialog's script registers. */
function definition(): { defaults: Record<string, Default>; credentials: Record<string, unknown> } {
  const [, script = ''] = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html) ?? [];
  let registered: unknown;
  const registerType = (_type: string, given: unknown): void => void (registered = given);
  runInNewContext(script, { RED: { nodes: { registerType } }, URL });
  return registered as ReturnType<typeof definition>;
}

function editorTakes(setting: Default, value: unknown): boolean {
  return setting.validate?.(value) ?? true;
}

function runtimeTakes(name: string, value: unknown): boolean {
  try {
    readServerSettings({ id: 'x', type: TYPE, [name]: value }, {});
    return true;
  } catch {
    return false;
  }
}

describe(`the editor of ${TYPE}`, () => {
  const { defaults, credentials } = definition();

  it('keeps every setting, with the default that the node takes where a flow leaves it out', () => {
    const { name, ...others } = defaults;
    assert.equal(name?.value, '');
    assert.deepEqual(
      Object.fromEntries(Object.entries(others).map(([key, { value }]) => [key, value])),
      Object.fromEntries(Object.entries(SETTINGS).map(([key, { fallback }]) => [key, fallback])),
    );
    assert.deepEqual(Object.keys(credentials), ['password', 'apiKey']);
  });

  it('refuses what the node would refuse, and takes what it would take', () => {
    const candidates: Record<string, unknown[]> = {
      source: ['pulse', 'input', 'test', 'microphone', ''],
      listen: ['own', 'node-red', 'other', ''],
      host: ['127.0.0.1', '::', '', ' '],
      port: [0, '8765', 65535, 65536, -1, 1.5, '', 'many', '0x10', ' 80 ', 'Infinity'],
      path: [
        '/',
        '/audio',
        '/a/b.c~d',
        'audio',
        '',
        '/a b',
        '/a?b',
        '/a#b',
        '/a/../b',
        '/für',
        '/%41',
        '/%zz',
      ],
      computerId: ['', 'desk', 'a b', 'a/b', 'a\\b', '..', '.', 'a\u0001'],
      maxListeners: [1, '100000', 0, 100001, 1.5, '', 'x'],
      maxBacklogMs: [40, 500.5, 60000, 39, 60001, '', 'x'],
      allowedOrigins: [
        '',
        'https://a.example, http://b:3000/',
        '*',
        'a.example',
        'https://a/b',
        'null',
        'https://',
      ],
      inputEncoding: ['s16le', 'f32le', 'opus', ''],
      inputSampleRate: [8000, '44100', 192000, 7999, 192001, 44100.5, ''],
      inputChannels: [1, '2', 3, 0, ''],
    };
    for (const [name, values] of Object.entries(candidates)) {
      const setting = defaults[name];
      assert.ok(setting?.validate, `${name} is not validated`);
      for (const value of values) {
        assert.equal(
          editorTakes(setting, value),
          runtimeTakes(name, value),
          `${name}: ${JSON.stringify(value)}`,
        );
      }
      assert.equal(editorTakes(setting, undefined), true, `${name} may be left out`);
      assert.equal(editorTakes(setting, '${ORGO_SETTING}'), true, `${name} may be an environment variable`);
    }
  });

  it('ties every input to a label, and every label to an input', () => {
    const inputs = [...html.matchAll(/<(?:input|select)[^>]* id="([^"]+)"/g)].map(([, id]) => id);
    const labels = [...html.matchAll(/<label for="([^"]+)"/g)].map(([, id]) => id);
    assert.deepEqual(labels.toSorted(), inputs.toSorted());
    assert.equal(new Set(inputs).size, inputs.length);
    for (const name of [...Object.keys(defaults), ...Object.keys(credentials)]) {
      assert.ok(inputs.includes(`node-input-${name}`), `${name} can't be set`);
    }
  });

  it('names every button that shows an icon alone', () => {
    for (const [button] of html.matchAll(/<button[^>]*>/g)) assert.match(button, /\[aria-label\]/);
  });

  it('has a text for every key that it names, and names every text of its dialog', () => {
    const texts = new Map(
      Object.entries(catalog[TYPE]).flatMap(([section, value]) =>
        typeof value === 'string'
          ? [[section, value] as const]
          : Object.entries(value).map(([key, text]) => [`${section}.${key}`, text] as const),
      ),
    );
    const keys = [...html.matchAll(/orgo-audio-server\.([a-z]+\.[\w-]+)(?=[";])/g)].map(
      ([, key]) => key ?? '',
    );
    for (const key of keys) assert.ok(texts.has(key), `${key} has no text`);
    for (const key of texts.keys()) {
      if (key === 'output' || key.startsWith('status.')) continue;
      assert.ok(keys.includes(key), `${key} is never shown`);
    }
  });

  it('has status texts of less than 20 characters', () => {
    for (const [key, text] of Object.entries(catalog[TYPE]['status'] ?? {})) {
      const longest = text
        .replace('__port__', '65535')
        .replace('__count__', '64')
        .replace(/ __device__$/, '');
      assert.ok(longest.length < 20, `${key}: ${text}`);
    }
  });

  it('helps in four sections', () => {
    for (const section of ['Inputs', 'Outputs', 'Details', 'References']) {
      assert.ok(help.includes(`<h3>${section}</h3>`), section);
    }
  });
});
