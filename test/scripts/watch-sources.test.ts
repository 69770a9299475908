/** Every way in which a source may change is noticed, again and again. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe } from 'node:test';
import { it } from '../support/hang-guard';

type WatchSources = (
  root: string,
  sources: { directories: readonly string[]; files: readonly string[] },
  onChange: (path: string) => void,
) => () => void;

describe('sources that are watched', () => {
  let root: string;
  let changed: Set<string>;
  let look: () => void;
  let endWatching: () => void;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'orgo-sources-'));
    await mkdir(join(root, 'src', 'audio'), { recursive: true });
    await mkdir(join(root, 'made'));
    await writeFile(join(root, 'src', 'audio', 'clock.ts'), '1');
    await writeFile(join(root, 'package.json'), '{}');
    changed = new Set();
    look = () => undefined;
    const program = join(__dirname, '../../scripts/lib/watch-sources.mjs');
    const { watchSources } = (await import(program)) as { watchSources: WatchSources };
    const sources = { directories: ['src', 'absent'], files: ['package.json'] };
    endWatching = watchSources(root, sources, (path) => {
      changed.add(relative(root, path));
      look();
    });
  });
  after(async () => {
    endWatching();
    await rm(root, { recursive: true });
  });

  /** Resolves once `path` is told to have changed. */
  async function told(path: string): Promise<void> {
    while (!changed.has(path)) await new Promise<void>((resolve) => (look = resolve));
  }

  /** Resolves once the change that `make` makes is told; what is told of it afterwards, it waits for and forgets. */
  async function noticed(path: string, make: (path: string) => Promise<unknown>): Promise<void> {
    await make(join(root, path));
    await told(path);
    changed.delete('package.json');
    await writeFile(join(root, 'package.json'), '{}');
    await told('package.json');
    changed.clear();
  }

  const write = (path: string): Promise<void> => writeFile(path, '2');
  async function replace(path: string): Promise<void> {
    await writeFile(join(root, 'made', 'new'), '3');
    await rename(join(root, 'made', 'new'), path);
  }

  it('are noticed where a file is written, also after it was replaced', async () => {
    for (const make of [write, replace, write, replace]) await noticed('src/audio/clock.ts', make);
  });

  it('are noticed where a file is new or gone, also in a new directory', async () => {
    await noticed('src/new', (path) => mkdir(path));
    await noticed('src/new/file.ts', write);
    await noticed('src/new/file.ts', (path) => rm(path));
    await noticed('src/new', (path) => rm(path, { recursive: true }));
  });

  it('are noticed in the root by their names alone', async () => {
    await noticed('package.json', replace);
    await write(join(root, 'README.md'));
    await write(join(root, 'package.json'));
    await told('package.json');
    assert.ok(!changed.has('README.md'));
  });
});
