/** The AssemblyScript compiler, as the kernels use it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { Failure, ROOT } from './run.mjs';

const SOURCE = 'src/kernels/dot.as.ts';
// The memory is imported, so that the module carries no data and starts without a runtime.
const OPTIONS = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--importMemory', '--noAssert'];

/**
 * The text of src/kernels/dot.wasm.ts, made from the AssemblyScript beside it.
 * @returns {Promise<string>} rejects with a {@link Failure} that holds what the compiler said
 */
export async function compileKernels() {
  const source = await readFile(join(ROOT, SOURCE), 'utf8');
  /** @type {Uint8Array | undefined} */
  let binary;
  const { error, stderr } = await asc.main(['dot.ts', ...OPTIONS, '--outFile', 'dot.wasm'], {
    readFile: (name) => (name === 'dot.ts' ? source : null),
    writeFile: (name, contents) => {
      if (name === 'dot.wasm' && typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error || !binary) throw new Failure(`${SOURCE} does not compile: ${error?.message}\n${stderr}`);
  const base64 = Buffer.from(binary).toString('base64');
  return [
    `/** ${SOURCE} as a WebAssembly module of ${binary.length} bytes, in base64: written by \`npm run kernels\`. */`,
    `export const DOT_WASM =`,
    `  '${base64}';`,
    '',
  ].join('\n');
}
