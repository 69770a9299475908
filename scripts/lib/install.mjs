/** Installs the npm dependencies, where what lies in node_modules is not what the lock file names. */
import { readFile } from 'node:fs/promises';
import { dependency, Failure, ROOT, run } from './run.mjs';

const MINIMUM_NODE = 20;

export async function ensureDependencies() {
  if (Number(process.versions.node.split('.')[0]) < MINIMUM_NODE) {
    throw new Failure(
      `Node ${process.versions.node} is too old: this project needs Node ${MINIMUM_NODE} or newer.`,
    );
  }
  const reason = await whyInstall();
  if (reason === undefined) return;
  console.log(`${reason}: running npm ci …`);
  await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund']);
}

/** @returns {Promise<string | undefined>} undefined where everything is in place */
async function whyInstall() {
  const wanted = await readPackages(`${ROOT}package-lock.json`);
  if (wanted === undefined) throw new Failure('package-lock.json is missing: this is no complete checkout.');
  const installed = await readPackages(dependency('.package-lock.json'));
  if (installed === undefined) return 'The dependencies are not installed';
  // What is optional may rightly be missing: it belongs to another platform, or did not build on this one.
  const stale = Object.entries(wanted).find(
    ([path, { version, optional }]) => path !== '' && !optional && installed[path]?.version !== version,
  );
  return stale && `${stale[0]} is not at version ${stale[1].version}`;
}

/**
 * @param {string} lockFile
 * @returns {Promise<Record<string, { version: string, optional?: boolean }> | undefined>}
 */
async function readPackages(lockFile) {
  try {
    return JSON.parse(await readFile(lockFile, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
