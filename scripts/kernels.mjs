/**
 * Compiles src/kernels/dot.as.ts (AssemblyScript) and writes what comes out as src/kernels/dot.wasm.ts;
 * with --print, to the standard output.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileKernels } from './lib/assembly.mjs';
import { ROOT, runMain } from './lib/run.mjs';

runMain(async () => {
  const text = await compileKernels();
  if (process.argv.includes('--print')) process.stdout.write(text);
  else await writeFile(join(ROOT, 'src/kernels/dot.wasm.ts'), text);
});
