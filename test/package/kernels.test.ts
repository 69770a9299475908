/** The compiled kernel that is committed is what its source compiles to. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '../..');

test('dot.wasm.ts is what its source compiles to', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/kernels.mjs', '--print'], {
    cwd: ROOT,
  });
  assert.equal(stdout, await readFile(join(ROOT, 'src/kernels/dot.wasm.ts'), 'utf8'));
});
