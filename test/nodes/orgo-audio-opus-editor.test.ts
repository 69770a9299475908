import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const TYPE = 'orgo-audio-opus';

describe('the editor of orgo-audio-opus', () => {
  const read = (...path: string[]): string =>
    readFileSync(join(__dirname, '..', '..', 'nodes', TYPE, ...path), 'utf8');
  const html = read(`${TYPE}.html`);
  const help = read('locales', 'en-US', `${TYPE}.html`);
  const catalog = JSON.parse(read('locales', 'en-US', `${TYPE}.json`)) as Record<
    string,
    Record<string, unknown>
  >;
  const textOf = (key: string): unknown =>
    key
      .split('.')
      .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], catalog);

  it('has a text for every key that it names', () => {
    const keys = [...html.matchAll(/orgo-audio-opus(?:\.[\w-]+)+(?=["\]])/g)].map(([key]) => key);
    assert.ok(keys.length > 20);
    for (const key of keys) {
      if (!/\.(svg|html)$/.test(key)) assert.equal(typeof textOf(key), 'string', key);
    }
  });

  it('ties every input to a label, and every label to an input', () => {
    const inputs = [...html.matchAll(/<(?:input|select)[^>]* id="([^"]+)"/g)].map(([, id]) => id);
    const labels = [...html.matchAll(/<label for="([^"]+)"/g)].map(([, id]) => id);
    assert.deepEqual(labels.toSorted(), inputs.toSorted());
  });

  it('has status texts of less than 20 characters', () => {
    const longest = { library: 'native', kbits: '510', rate: '192000', count: '256' };
    for (const text of Object.values(catalog[TYPE]?.['status'] as Record<string, string>)) {
      const shown = text.replace(/__(\w+)__/g, (_, name: keyof typeof longest) => longest[name]);
      assert.ok(shown.length < 20, shown);
    }
  });

  it('is registered in the open, and helps in four sections', () => {
    assert.ok(html.includes(`RED.nodes.registerType('${TYPE}', {`));
    for (const section of ['Inputs', 'Outputs', 'Details', 'References'])
      assert.ok(help.includes(`<h3>${section}</h3>`), section);
    assert.ok(help.startsWith(`<script type="text/html" data-help-name="${TYPE}">`));
  });
});
