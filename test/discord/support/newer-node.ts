/** Node 24 with Discord's libraries, which want a newer Node than the project's least. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../support/packed-package';

const HOME = join(ROOT, '.tmp', 'discord-node24');
export const MODULES = join(HOME, 'node_modules');
export const NODE_24 = join(MODULES, 'node24', 'bin', 'node');
const LIBRARIES = [
  '@discordjs/ws@^2.0.4',
  '@discordjs/rest@^2.6.3',
  '@discordjs/voice@~0.19.2',
  '@snazzah/davey@^0.1.12',
  '@noble/ciphers@^2.4.0',
];

/** Installs what is not there yet, from the npm registry; the reason where that fails. */
export async function installNewerNode(): Promise<string | undefined> {
  if (existsSync(join(MODULES, '@discordjs', 'voice'))) return undefined;
  try {
    await mkdir(HOME, { recursive: true });
    await writeFile(join(HOME, 'package.json'), JSON.stringify({ name: 'discord-node24', private: true }));
    await npm([`node24@npm:node-${process.platform}-${process.arch}@24`], process.env);
    const PATH = [dirname(NODE_24), process.env['PATH'] ?? ''].join(delimiter);
    await npm(LIBRARIES, { ...process.env, PATH });
    return undefined;
  } catch (error) {
    return `Node 24 with Discord's libraries could not be installed: ${String(error)}`;
  }
}

async function npm(packages: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages];
  await promisify(execFile)('npm', args, { cwd: HOME, env });
}
