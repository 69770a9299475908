/** A Node-RED user directory that holds a checkout's build by a link: no packing, no network. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './packed-package';
import type { UserDirectory } from './runtimes';

const PACKAGE = 'node-red-contrib-orgo-audio';

/** A fresh user directory; what `npm test` or `npm run build` has built in the checkout at `root` is what runs. */
export async function userDirectoryWithLink(root = ROOT): Promise<UserDirectory> {
  if (!existsSync(join(root, 'dist'))) throw new Error('nothing is built: npm run build');
  const path = await mkdtemp(join(tmpdir(), 'orgo-user-dir-'));
  // Node-RED looks at a linked module only where package.json names it.
  const dependencies = { [PACKAGE]: `file:${root}` };
  await writeFile(
    join(path, 'package.json'),
    JSON.stringify({ name: 'user-dir', private: true, dependencies }),
  );
  await mkdir(join(path, 'node_modules'));
  await symlink(root, join(path, 'node_modules', PACKAGE));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
