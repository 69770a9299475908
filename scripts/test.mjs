/**
 * The tests, from a bare checkout.
 *   npm test                    everything: dependencies, system packages, build, types, lint, format, all tests
 *   npm test -- test/server     the test files at or under the given paths alone, without types, lint and format
 *   npm run test:unit           what needs no system package, no network and no sound server; also with --watch
 *   npm run test:nodes          the unit tests on Node 22 and 24
 */
import { withCompiledTests } from './lib/compile-tests.mjs';
import { ensureDependencies } from './lib/install.mjs';
import { dependency, Failure, run, runMain } from './lib/run.mjs';
import { ensureRuntime, nodeOf } from './lib/runtimes.mjs';
import { describeInstallation, installPackages, missingPackages } from './lib/system-packages.mjs';
import { isAtOrUnder, report, runTests, testFiles } from './lib/test-run.mjs';

/** What is no unit test: sound in real time, real Node-REDs, the packed package. */
const SYSTEM = ['test/system', 'test/package'];
/** Those that measure sound in real time: one after another, with nothing beside them. */
const ALONE = [
  'test/system/browser.test.ts',
  'test/system/listen-page.test.ts',
  'test/system/monitor-sound.test.ts',
  'test/system/monitor.test.ts',
  'test/system/pulse-capture.test.ts',
  'test/system/pulse-pipewire.test.ts',
  'test/system/transcription.test.ts',
];
/** Test files at once. A unit test of the server waits for real time-outs: the others fill that time. */
const UNIT_CONCURRENCY = 3;
const SYSTEM_CONCURRENCY = 3;

runMain(async () => {
  const args = process.argv.slice(2);
  const flags = args.filter((arg) => arg.startsWith('--'));
  const paths = args.filter((arg) => !arg.startsWith('--'));
  await ensureDependencies();
  const { unit, beside, alone } = sorted(await testFiles(paths));
  if (flags.includes('--watch')) return watch(unit);
  await withCompiledTests(async (env) => {
    const runUnit = () => runTests('unit', unit, { env, concurrency: UNIT_CONCURRENCY });
    if (flags.includes('--unit')) return finish([await runUnit()]);
    if (flags.includes('--nodes')) return finish(await onOtherNodes(unit, env));

    // Unit tests alone need neither of the two.
    if (beside.length + alone.length > 0) {
      await ensureSystemPackages();
      console.log('Building …');
      await step('build', process.execPath, ['scripts/build.mjs']);
    }
    const [tally] = await Promise.all([
      runUnit(),
      paths.length === 0 ? checkSources() : undefined,
      beside.length > 0 ? ensureRuntimes() : undefined,
    ]);
    finish([
      tally,
      await runTests('beside', beside, { env, concurrency: SYSTEM_CONCURRENCY }),
      await runTests('alone', alone, { env, concurrency: 1 }),
    ]);
  });
});

/** @param {readonly string[]} files */
function sorted(files) {
  const isSystem = (/** @type {string} */ file) => SYSTEM.some((path) => isAtOrUnder(file, path));
  return {
    unit: files.filter((file) => !isSystem(file)),
    beside: files.filter((file) => isSystem(file) && !ALONE.includes(file)),
    alone: files.filter((file) => ALONE.includes(file)),
  };
}

/** @param {readonly import('./lib/test-run.mjs').Tally[]} tallies */
function finish(tallies) {
  if (!report(tallies)) process.exitCode = 1;
}

/** Runs the files again whenever they, or what they import, change; until Ctrl-C. @param {readonly string[]} files */
async function watch(files) {
  await run(process.execPath, ['--import', 'tsx', '--watch', '--test', '--test-reporter=dot', ...files]);
}

/** @param {readonly string[]} files @param {NodeJS.ProcessEnv} env */
async function onOtherNodes(files, env) {
  const tallies = [];
  for (const name of /** @type {const} */ (['node22', 'node24-node-red5'])) {
    await ensureRuntime(name);
    console.log(`\nThe unit tests, on ${name}:`);
    tallies.push(await runTests(name, files, { env, concurrency: UNIT_CONCURRENCY, node: nodeOf(name) }));
  }
  return tallies;
}

async function checkSources() {
  for (const project of ['.', 'player', 'sidebar']) {
    await step(`types of ${project}`, process.execPath, [dependency('typescript/bin/tsc'), '-p', project]);
  }
  await step('lint', process.execPath, [dependency('eslint/bin/eslint.js'), '.']);
  await step('format', process.execPath, [dependency('prettier/bin/prettier.cjs'), '--check', '.']);
}

async function ensureSystemPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  console.log(describeInstallation(missing));
  const obstacle = await installPackages(missing);
  if (obstacle === undefined) return;
  console.log(
    `They can't be installed: ${obstacle}. The tests that need them are skipped, and named at the end.\n` +
      `To run them, too: apt-get install ${missing.join(' ')}\n`,
  );
}

/** What can't be installed is no failure here: the tests that need it are skipped, and named at the end. */
async function ensureRuntimes() {
  for (const name of /** @type {const} */ (['node22', 'node24-node-red5', 'node24-discord'])) {
    try {
      await ensureRuntime(name);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.log(`${error.message}\nThe tests that need ${name} are skipped, and named at the end.\n`);
    }
  }
}

/** @param {string} name @param {string} command @param {string[]} args */
async function step(name, command, args) {
  const start = Date.now();
  await run(command, args, { quiet: true });
  console.log(`✔ ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}
