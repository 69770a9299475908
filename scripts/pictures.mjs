/** Takes the pictures of README and docs anew: see pictures.ts. */
import { isBuilt } from './lib/built.mjs';
import { ensureDependencies } from './lib/install.mjs';
import { run, runMain } from './lib/run.mjs';

runMain(async () => {
  await ensureDependencies();
  if (!isBuilt()) await run(process.execPath, ['scripts/build.mjs'], { quiet: true });
  await run(process.execPath, ['--import', 'tsx', 'scripts/pictures.ts', ...process.argv.slice(2)]);
});
