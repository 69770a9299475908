/**
 * `npm run dev`: as `npm start`, and whenever a source changes, a new build and a fresh Node-RED with the same flow.
 * The editor connects again by itself; reload its page to see changed dialogs. Ctrl-C ends it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SOURCES } from './lib/built.mjs';
import { ROOT, runMain } from './lib/run.mjs';
import { watchSources } from './lib/watch-sources.mjs';

/** An editor writes a file in several steps: they count as one change. */
const SETTLE_MS = 200;
/** Windows has no process groups. */
const HAS_GROUPS = process.platform !== 'win32';

runMain(async () => {
  let child = start();
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let isRestarting = false;
  let isEnding = false;

  const restart = async () => {
    if (isEnding) return;
    // What changes meanwhile is seen afterwards.
    if (isRestarting) return later();
    isRestarting = true;
    console.log('\nA source has changed: building, and starting Node-RED again …');
    await end(child);
    if (!isEnding) child = start();
    isRestarting = false;
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void restart(), SETTLE_MS);
  };
  const endWatching = watchSources(ROOT, SOURCES, later);

  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(signal, () => {
      isEnding = true;
      clearTimeout(timer);
      endWatching();
      void end(child);
    });
  }
});

/** `npm start`; where it fails, by a mistake in a source for instance, the next change tries again. */
function start() {
  return spawn(process.execPath, [join(ROOT, 'scripts', 'start.mjs')], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: HAS_GROUPS,
  });
}

/**
 * Ends it with all that it started: a build that went on would replace that of the next start.
 * @param {import('node:child_process').ChildProcess} child
 */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  if (HAS_GROUPS) process.kill(-child.pid, 'SIGTERM');
  else child.kill('SIGTERM');
  await exited;
}
