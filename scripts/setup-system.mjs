/** Installs the system packages that the tests use: `node scripts/setup-system.mjs`. */
import { Failure, runMain } from './lib/run.mjs';
import { describeInstallation, installPackages, missingPackages } from './lib/system-packages.mjs';

runMain(async () => {
  const missing = missingPackages();
  if (missing.length === 0) return console.log('Every system package that the tests use is here.');
  console.log(describeInstallation(missing));
  const obstacle = await installPackages(missing);
  if (obstacle !== undefined) throw new Failure(`${missing.join(' ')} could not be installed: ${obstacle}.`);
});
