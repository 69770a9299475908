/**
 * The whole test run, from a bare checkout: dependencies, system packages, types, lint, format, build, tests.
 * `npm test -- test/client` builds, and runs the test files at or under the given paths alone.
 */
import { readdir } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { ensureDependencies } from './lib/install.mjs';
import { dependency, Failure, ROOT, run, runMain } from './lib/run.mjs';
import { installPackages, missingPackages } from './lib/system-packages.mjs';

/** The system tests listen to real sound in real time: a second test file beside them would disturb it. */
const CONCURRENCY = 1;
const TEST_TIMEOUT_MS = 300_000;

runMain(async () => {
  const paths = process.argv.slice(2);
  await ensureDependencies();
  await ensureSystemPackages();
  const files = await testFiles(paths);
  await step('build', process.execPath, ['scripts/build.mjs']);
  if (paths.length === 0) {
    await step('types', process.execPath, [dependency('typescript/bin/tsc'), '-p', '.']);
    await step('lint', process.execPath, [dependency('eslint/bin/eslint.js'), '.']);
    await step('format', process.execPath, [dependency('prettier/bin/prettier.cjs'), '--check', '.']);
  }
  try {
    await run(process.execPath, [
      ...['--import', 'tsx', '--test', '--test-reporter=spec'],
      ...[`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TEST_TIMEOUT_MS}`],
      ...files,
    ]);
  } catch (error) {
    // The summary of node:test, which has just been printed, says all.
    if (!(error instanceof Failure)) throw error;
    process.exitCode = 1;
  }
});

async function ensureSystemPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  console.log(`Missing system packages: ${missing.join(' ')}. Installing them …`);
  const obstacle = await installPackages(missing);
  if (obstacle === undefined) return;
  console.error(
    `They could not be installed: ${obstacle}.\n` +
      `Install them yourself (apt-get install ${missing.join(' ')}), or set ORGO_TEST_ALLOW_SKIP=1\n` +
      'to skip the tests that need them; otherwise those tests fail.',
  );
}

/** @param {string} name @param {string} command @param {string[]} args */
async function step(name, command, args) {
  const start = Date.now();
  await run(command, args, { quiet: true });
  console.log(`✔ ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}

/**
 * The test files at or under `paths`, sorted; all of them where none is given.
 * @param {readonly string[]} paths relative to the checkout
 */
async function testFiles(paths) {
  const entries = await readdir(join(ROOT, 'test'), { recursive: true });
  const all = entries.filter((name) => name.endsWith('.test.ts')).map((name) => join('test', name));
  const wanted = paths.map((path) => relative(ROOT, resolve(path)));
  for (const path of wanted) {
    if (!all.some((file) => isAtOrUnder(file, path)))
      throw new Failure(`No test file is at or under ${path}.`);
  }
  return all.filter((file) => paths.length === 0 || wanted.some((path) => isAtOrUnder(file, path))).sort();
}

/** @param {string} file @param {string} path */
function isAtOrUnder(file, path) {
  return file === path || file.startsWith(path + sep);
}
