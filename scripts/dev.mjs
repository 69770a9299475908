/**
 * `npm run dev`: as `npm start`, and whenever a source changes, a new build and a fresh Node-RED with the same flow.
 * The editor connects again by itself; reload its page to see changed dialogs. Ctrl-C ends it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runMain } from './lib/run.mjs';

const SOURCES = ['src', 'nodes', 'resources', 'editor', 'examples', 'scripts', 'package.json'];
/** An editor writes a file in several steps: they count as one change. */
const SETTLE_MS = 200;

runMain(async () => {
  let child = start();
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let isRestarting = false;

  const restart = async () => {
    // What changes meanwhile is seen afterwards.
    if (isRestarting) return later();
    isRestarting = true;
    console.log('\nA source has changed: building, and starting Node-RED again …');
    await end(child);
    child = start();
    isRestarting = false;
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void restart(), SETTLE_MS);
  };
  const watchers = SOURCES.map((source) => join(ROOT, source))
    .filter((path) => existsSync(path))
    .map((path) => watch(path, { recursive: true }, later));

  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.once(signal, () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      void end(child);
    });
  }
});

/** `npm start`; where it fails, by a mistake in a source for instance, the next change tries again. */
function start() {
  return spawn(process.execPath, [join(ROOT, 'scripts', 'start.mjs')], { cwd: ROOT, stdio: 'inherit' });
}

/** @param {import('node:child_process').ChildProcess} child */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
