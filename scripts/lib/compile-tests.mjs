/**
 * Compiles every TypeScript file of the checkout once, so that the test files, a process each, need not: `--import tsx`
 * costs each of them half a second of CPU. `run-compiled.cjs` reads what stands here.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './run.mjs';

const FOLDERS = ['src', 'nodes', 'editor', 'player', 'scripts', 'test', 'bench'];

/** Where `node` looks for the hook that reads the compiled files: `node --require <this>`. */
export const RUN_COMPILED = join(ROOT, 'scripts', 'lib', 'run-compiled.cjs');

/**
 * @template T
 * @param {(env: NodeJS.ProcessEnv) => Promise<T>} use env: what a process needs that is started with {@link RUN_COMPILED}
 * @returns {Promise<T>}
 */
export async function withCompiledTests(use) {
  // Not before: a bare checkout has no dependencies until they are installed.
  const { build } = await import('esbuild');
  const directory = join(ROOT, '.tmp', `compiled-${process.pid}`);
  await mkdir(directory, { recursive: true });
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: (await Promise.all(FOLDERS.map(typeScriptFiles))).flat(),
      outdir: directory,
      outbase: ROOT,
      platform: 'node',
      format: 'cjs',
      target: 'es2022',
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'error',
    });
    return await use({ ...process.env, COMPILED_TESTS: directory });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param {string} folder */
async function typeScriptFiles(folder) {
  const entries = await readdir(join(ROOT, folder), { recursive: true });
  return entries
    .filter((name) => name.endsWith('.ts') && !/\.(as|d)\.ts$/.test(name))
    .map((name) => join(folder, name));
}
