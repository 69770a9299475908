/** Ends this process when its parent is gone, even where an endless loop keeps the main thread from noticing. */
import { Worker } from 'node:worker_threads';

const LOOK_EVERY_MS = 1000;

/**
 * Runs in a thread of its own, without modules to load. An orphan gets another parent; on Windows it keeps the id of
 * the dead one.
 */
const WATCH = `
const { workerData } = require('node:worker_threads');
function isOrphan() {
  if (process.ppid !== workerData.parent) return true;
  try {
    process.kill(workerData.parent, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
setInterval(() => {
  if (isOrphan()) process.kill(process.pid, 'SIGKILL');
}, workerData.everyMs);
`;

/** Watches from now on. */
export function watchParent(): void {
  const workerData = { parent: process.ppid, everyMs: LOOK_EVERY_MS };
  const limits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };
  new Worker(WATCH, { eval: true, execArgv: [], workerData, resourceLimits: limits }).unref();
}
