/** Node and Node-RED in the versions that are in use, and user directories that hold the packed package. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './packed-package';

const run = promisify(execFile);

export interface Runtime {
  /** `Node 20 × Node-RED 4.1` */
  readonly name: string;
  /** Path of the Node binary. */
  readonly node: string;
  /** Path of Node-RED's red.js. */
  readonly red: string;
  /** For `needs`: what may be missing. */
  readonly needs: readonly string[];
}

/** This process's Node with the Node-RED that the project itself uses. */
export const OWN_RUNTIME: Runtime = {
  name: `Node ${process.versions.node.split('.')[0] ?? ''} × Node-RED 4.1`,
  node: process.execPath,
  red: join(ROOT, 'node_modules', 'node-red', 'red.js'),
  needs: [],
};

/** A Node binary alone; `scripts/lib/runtimes.mjs` installs it. */
export const NODE_22 = join(ROOT, '.tmp', 'node22', 'node_modules', 'node22', 'bin', 'node');

const NEWER = join(ROOT, '.tmp', 'node24-node-red5');

/** Discord's libraries beside the Node 24 that they want: `scripts/lib/runtimes.mjs` installs both. */
export const DISCORD_MODULES = join(ROOT, '.tmp', 'node24-discord', 'node_modules');

/** Its parts come from the npm registry into .tmp/ by `scripts/setup-runtimes.mjs`, and stay for the next run. */
export const NEWER_RUNTIME: Runtime = {
  name: 'Node 24 × Node-RED 5',
  node: join(NEWER, 'node_modules', 'node24', 'bin', 'node'),
  red: join(NEWER, 'node_modules', 'node-red', 'red.js'),
  needs: ['node24-node-red5'],
};

export interface UserDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** A user directory, and what npm said while it installed the package there. */
export interface InstalledDirectory extends UserDirectory {
  readonly said: string;
}

/**
 * A fresh Node-RED user directory with the package `tarball` installed, as a palette manager would.
 * @param node path of a Node binary: npm runs on it, and installs the optional packages that suit it; without one, none
 */
export async function userDirectoryWith(tarball: string, node?: string): Promise<InstalledDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'orgo-user-dir-'));
  await writeFile(join(path, 'package.json'), JSON.stringify({ name: 'user-dir', private: true }));
  const args = [
    ...['install', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund'],
    ...(node === undefined ? ['--omit=optional'] : []),
    tarball,
  ];
  const own = process.env['PATH'] ?? '';
  const env = { ...process.env, PATH: node === undefined ? own : `${dirname(node)}:${own}` };
  const { stdout, stderr } = await run('npm', args, { cwd: path, env });
  return { path, said: stdout + stderr, remove: () => rm(path, { recursive: true, force: true }) };
}
