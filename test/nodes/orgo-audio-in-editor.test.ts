import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const NODES = join(__dirname, '..', '..', 'nodes');
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
