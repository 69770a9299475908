import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const NODES = join(__dirname, '..', '..', 'nodes');
const MAX_STATUS_LENGTH = 19;

interface Catalog {
  readonly [key: string]: string | Catalog;
}

/** Every text of a catalog, by its full key. */
function flatten(catalog: Catalog, prefix = ''): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of Object.entries(catalog)) {
    if (typeof value === 'string') texts.set(prefix + key, value);
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) texts.set(inner, text);
  }
  return texts;
}

for (const type of ['orgo-audio-in', 'orgo-audio-resample', 'orgo-audio-vad', 'orgo-computer']) {
  describe(`the editor of ${type}`, () => {
    const read = (...path: string[]): string => readFileSync(join(NODES, type, ...path), 'utf8');
    const html = read(`${type}.html`);
    const help = read('locales', 'en-US', `${type}.html`);
    const texts = flatten(JSON.parse(read('locales', 'en-US', `${type}.json`)) as Catalog);

    it('has a text for every key that it names', () => {
      const keys = [...html.matchAll(new RegExp(`${type}(\\.[\\w-]+)+(?=["\\]])`, 'g'))].map(([key]) => key);
      assert.ok(keys.length > 5);
      for (const key of keys) assert.ok(texts.has(key), `${key} has no text`);
    });

    it('ties every input to a label, and every label to an input', () => {
      const inputs = [...html.matchAll(/<(?:input|select)[^>]* id="([^"]+)"/g)].map(([, id]) => id);
      const labels = [...html.matchAll(/<label for="([^"]+)"/g)].map(([, id]) => id);
      assert.deepEqual(labels.toSorted(), inputs.toSorted());
    });

    it('has status texts of less than 20 characters', () => {
      for (const [key, text] of texts) {
        if (!key.includes('.status.')) continue;
        const longest = text.replace('__rate__', '48000');
        assert.ok(longest.length <= MAX_STATUS_LENGTH, `${key}: ${text}`);
      }
    });

    it('is registered in the open, and helps in four sections', () => {
      assert.ok(html.includes(`RED.nodes.registerType('${type}', {`));
      for (const section of ['Inputs', 'Outputs', 'Details', 'References']) {
        assert.ok(help.includes(`<h3>${section}</h3>`), section);
      }
      assert.ok(help.startsWith(`<script type="text/html" data-help-name="${type}">`));
    });
  });
}

describe('the status words of orgo-audio-in', () => {
  it('are all in its catalog', () => {
    const words = readFileSync(join(NODES, 'orgo-audio-in', 'status-words.ts'), 'utf8');
    const catalog = JSON.parse(
      readFileSync(join(NODES, 'orgo-audio-in', 'locales', 'en-US', 'orgo-audio-in.json'), 'utf8'),
    ) as { 'orgo-audio-in': { status: Record<string, string> } };
    const used = [...words.matchAll(/'([a-z]+(?:-[a-z]+)*)'/g)].map(([, word]) => word ?? '');
    const states = ['authorizing', 'connecting', 'started', 'running', 'waiting', 'refused', 'stopped'];
    const looks = ['ok', 'busy', 'off', 'error', 'idle'];
    const known = catalog['orgo-audio-in'].status;
    for (const word of used) {
      if (word in known || states.includes(word) || looks.includes(word)) continue;
      assert.fail(`${word} is not in the catalog`);
    }
    for (const word of Object.keys(known)) {
      assert.ok(word === 'bad-setting' || used.includes(word), `${word} is never shown`);
    }
  });
});
