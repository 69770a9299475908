/** Other versions of Node, and of Node-RED, from the npm registry: in .tmp/, not in every contributor's checkout. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, run } from './run.mjs';

/** What each directory under .tmp/ holds: packages of npm, and a file that is there once they are installed. */
const RUNTIMES = {
  node22: { packages: [nodePackage(22)], proof: 'node22/bin/node' },
  'node24-discord': {
    packages: [
      nodePackage(24),
      ...['@discordjs/ws@^2.0.4', '@discordjs/rest@^2.6.3', '@discordjs/voice@~0.19.2'],
      ...['@snazzah/davey@^0.1.12', '@noble/ciphers@^2.4.0'],
    ],
    proof: '@discordjs/voice/package.json',
  },
  'node24-node-red5': { packages: [nodePackage(24), 'node-red@5'], proof: 'node-red/red.js' },
};

/** @typedef {keyof typeof RUNTIMES} RuntimeName */

/** Path of a Node binary that {@link ensureRuntime} installs. @param {RuntimeName} name */
export function nodeOf(name) {
  return join(ROOT, '.tmp', name, 'node_modules', name.split('-')[0] ?? '', 'bin', 'node');
}

/** Installs what is not there yet. @param {RuntimeName} name */
export async function ensureRuntime(name) {
  const directory = join(ROOT, '.tmp', name);
  const { packages, proof } = RUNTIMES[name];
  if (existsSync(join(directory, 'node_modules', proof))) return;
  console.log(`Installing ${name} into .tmp/, about 150 MB from the npm registry: tests run with it, too …`);
  // Installed aside, so that what is cut off half-way is never taken for whole.
  const staging = `${directory}-${process.pid}`;
  try {
    await mkdir(staging, { recursive: true });
    await writeFile(join(staging, 'package.json'), JSON.stringify({ name, private: true }));
    const quietly = ['--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', '--prefix', staging, ...quietly, ...packages], { quiet: true });
    await rm(directory, { recursive: true, force: true });
    await rename(staging, directory);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** @param {number} major */
function nodePackage(major) {
  return `node${major}@npm:node-${process.platform}-${process.arch}@${major}`;
}
