/** Installs another Node with its Node-RED, into .tmp/: `node scripts/setup-runtimes.mjs node24-node-red5`. */
import { runMain } from './lib/run.mjs';
import { ensureRuntime } from './lib/runtimes.mjs';

runMain(async () => {
  for (const name of process.argv.slice(2)) {
    await ensureRuntime(/** @type {import('./lib/runtimes.mjs').RuntimeName} */ (name));
  }
});
