/** What is published: everything that runs, and nothing else. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packPackage, ROOT, type PackedPackage } from '../support/packed-package';

const PUBLISHED =
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|examples\/.+\.json|resources\/(orgo-(editor|player|audio-tab)\.js|listen\/(index\.html|page\.js|page\.css|icon\.svg))|dist\/(nodes|src)\/.+(\.js|\.html|\.json|\.svg|\.png|\.raw|\.bin|\.wasm|LICENSE))$/;
/** AssemblyScript runs as the WebAssembly that was made of it; dialogs are in resources/orgo-editor.js. */
const BUILT_ELSEWHERE = /(\.as|^dialog.*)\.ts$/;
const MAX_DEPENDENCIES = 6;

describe('the published package', () => {
  let packed: PackedPackage;
  before(async () => {
    packed = await packPackage();
  });
  after(() => packed.remove());

  test('holds only what runs: no tests, no source maps, no TypeScript', () => {
    assert.deepEqual(
      packed.files.filter((file) => !PUBLISHED.test(file) || /\.(test|bench)\./.test(file)),
      [],
    );
  });

  test('holds what a user reads, and what the editor loads', () => {
    const wanted = [
      'package.json',
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
      'resources/orgo-editor.js',
      'resources/orgo-player.js',
      'resources/orgo-audio-tab.js',
    ];
    assert.deepEqual(
      wanted.filter((file) => !packed.files.includes(file)),
      [],
    );
  });

  test('holds the compiled form of each source file, and what lies beside it', async () => {
    const missing = [];
    for (const root of ['nodes', 'src']) {
      const entries = await readdir(join(ROOT, root), { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((file) => file.isFile() && !BUILT_ELSEWHERE.test(file.name))) {
        const path = join(entry.parentPath, entry.name).slice(ROOT.length + 1);
        const built = `dist/${path.replace(/\.ts$/, '.js')}`;
        if (!packed.files.includes(built)) missing.push(built);
      }
    }
    assert.deepEqual(missing, []);
  });

  test('is small, and depends on little', async (t) => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const dependencies = Object.keys(manifest.dependencies);
    t.diagnostic(
      `unpacked size ${(packed.unpackedSize / 1000).toFixed(0)} kB in ${packed.files.length} files; ` +
        `${dependencies.length} dependencies: ${dependencies.join(', ')}`,
    );
    assert.ok(dependencies.length <= MAX_DEPENDENCIES, `${dependencies.length} dependencies`);
  });
});
