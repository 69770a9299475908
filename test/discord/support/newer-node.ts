/** Node 24 with Discord's libraries, which want a newer Node than the project's least. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
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
export function installNewerNode(): string | undefined {
  if (existsSync(join(MODULES, '@discordjs', 'voice'))) return undefined;
  try {
    mkdirSync(HOME, { recursive: true });
    writeFileSync(join(HOME, 'package.json'), JSON.stringify({ name: 'discord-node24', private: true }));
    npm([`node24@npm:node-${process.platform}-${process.arch}@24`], process.env);
    const PATH = [dirname(NODE_24), process.env['PATH'] ?? ''].join(delimiter);
    npm(LIBRARIES, { ...process.env, PATH });
    return undefined;
  } catch (error) {
    return `Node 24 with Discord's libraries could not be installed: ${String(error)}`;
  }
}

function npm(packages: string[], env: NodeJS.ProcessEnv): void {
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages];
  execFileSync('npm', args, { cwd: HOME, env, stdio: 'pipe' });
}
