/** Runs benches: `npm run bench -- latency [its arguments]`; without a name, each of bench/ in turn. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDependencies } from './lib/install.mjs';
import { Failure, ROOT, run, runMain } from './lib/run.mjs';

runMain(async () => {
  const [name, ...args] = process.argv.slice(2);
  await ensureDependencies();
  const names = (await readdir(join(ROOT, 'bench')))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
  if (name !== undefined && !names.includes(name)) {
    throw new Failure(`There is no bench "${name}"; there are: ${names.join(', ')}.`);
  }
  for (const bench of name === undefined ? names : [name]) {
    await run(process.execPath, ['--expose-gc', '--import', 'tsx', join('bench', `${bench}.ts`), ...args]);
  }
});
