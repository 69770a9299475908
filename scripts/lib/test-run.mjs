/** Runs test files by node:test, and counts what passed, failed and was skipped. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { RUN_COMPILED } from './compile-tests.mjs';
import { Failure, ROOT, run } from './run.mjs';

/** Of a file; no more than a guard against what hangs: a busy machine may be many times slower. */
const TEST_TIMEOUT_MS = 900_000;
const TALLY = join(ROOT, 'scripts', 'lib', 'tally.mjs');

/** @typedef {{ passed: number, failed: string[], skipped: Map<string, string[]> }} Tally skipped: names, by reason */

/**
 * @param {string} name of this part of the tests
 * @param {readonly string[]} files
 * @param {{ concurrency: number, env: NodeJS.ProcessEnv, node?: string }} options env: of withCompiledTests;
 * node: path of another Node than this one
 * @returns {Promise<Tally>}
 */
export async function runTests(name, files, { concurrency, env, node = process.execPath }) {
  if (files.length === 0) return { passed: 0, failed: [], skipped: new Map() };
  const directory = join(ROOT, '.tmp');
  await mkdir(directory, { recursive: true });
  const output = join(directory, `tally-${process.pid}-${name.replaceAll(/\W+/g, '-')}.jsonl`);
  const reporters = [
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${TALLY}`, `--test-reporter-destination=${output}`],
  ];
  const limits = [`--test-concurrency=${concurrency}`, `--test-timeout=${TEST_TIMEOUT_MS}`];
  try {
    const args = ['--require', RUN_COMPILED, '--test', ...reporters, ...limits, ...files];
    const hasFailed = await run(node, args, { env }).then(
      () => false,
      (error) => {
        if (!(error instanceof Failure)) throw error;
        return true;
      },
    );
    const tally = await readTally(output);
    // A file that ends by itself, before or after its tests, fails without any of them.
    if (hasFailed && tally.failed.length === 0) tally.failed.push(`${name}: a test file (see above)`);
    return tally;
  } finally {
    await rm(output, { force: true });
  }
}

/** @param {readonly Tally[]} tallies @returns {boolean} whether all is well */
export function report(tallies) {
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  const failed = tallies.flatMap((tally) => tally.failed);
  const skipped = tallies.flatMap((tally) => [...tally.skipped]);
  const skippedCount = skipped.reduce((sum, [, names]) => sum + names.length, 0);
  console.log(`\n${passed} tests passed, ${failed.length} failed, ${skippedCount} were skipped.`);
  for (const [reason, names] of skipped) {
    console.log(`\nSkipped, ${reason}: ${names.length}`);
    for (const name of names) console.log(`  ${name}`);
  }
  if (failed.length > 0) console.log(`\nFailed:\n${failed.map((name) => `  ${name}`).join('\n')}`);
  return failed.length === 0;
}

/**
 * The test files at or under `paths`, sorted; all of them where none is given.
 * @param {readonly string[]} paths relative to the checkout
 */
export async function testFiles(paths) {
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
export function isAtOrUnder(file, path) {
  return file === path || file.startsWith(path + sep);
}

/** @param {string} path @returns {Promise<Tally>} */
async function readTally(path) {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  /** @type {Tally} */
  const tally = { passed: 0, failed: [], skipped: new Map() };
  for (const line of lines) {
    const { name, passed, skipped } = JSON.parse(line);
    if (skipped !== undefined) tally.skipped.set(skipped, [...(tally.skipped.get(skipped) ?? []), name]);
    else if (passed) tally.passed++;
    else tally.failed.push(name);
  }
  return tally;
}
