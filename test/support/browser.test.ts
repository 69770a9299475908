/** A browser is found under each of its names, and a snap is none. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findBrowser } from '../../scripts/lib/programs.cjs';

describe('a browser', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'orgo-browsers-'));
  });
  after(() => rm(root, { recursive: true }));

  async function directoryWith(name: string, mode = 0o755): Promise<string> {
    const directory = await mkdtemp(join(root, 'bin-'));
    await writeFile(join(directory, name), '', { mode });
    return directory;
  }

  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    test(`is found as ${name}`, async () => {
      const directory = await directoryWith(name);
      assert.equal(findBrowser(['/absent', directory].join(delimiter)), join(directory, name));
    });
  }

  test('is rather Chromium than Chrome, wherever both lie', async () => {
    const [chrome, chromium] = [await directoryWith('google-chrome'), await directoryWith('chromium')];
    assert.equal(findBrowser([chrome, chromium].join(delimiter)), join(chromium, 'chromium'));
  });

  test('is none that can not be run', async () =>
    assert.equal(findBrowser(await directoryWith('chromium', 0o644)), undefined));

  test('is none that is a snap', async () => {
    const directory = join(root, 'snap');
    await mkdir(directory);
    // As /snap/bin/chromium; where no snap is installed the link leads nowhere, and is no program either.
    await symlink('/usr/bin/snap', join(directory, 'chromium'));
    assert.equal(findBrowser(directory), undefined);
  });

  test('is not looked for elsewhere', () => assert.equal(findBrowser(''), undefined));
});
