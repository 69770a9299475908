/** docs/errors.md lists exactly the codes that errors may carry. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const ROOT = join(__dirname, '..', '..');
const CODE = /ORGO_[A-Z_]+/g;

function read(...path: string[]): string {
  return readFileSync(join(ROOT, ...path), 'utf8');
}

it('docs/errors.md has a row for each error code, and says what to do', () => {
  const codes = read('src', 'audio', 'errors.ts').match(/(?<=\| ')ORGO_[A-Z_]+(?=')/g) ?? [];
  const rows = read('docs', 'errors.md')
    .split('\n')
    .filter((line) => line.startsWith('| `ORGO_'))
    .map((line) => line.split(' | '));
  assert.ok(codes.length > 20, 'the codes are found');
  assert.deepEqual(rows.map(([first]) => first?.match(CODE)?.[0]).toSorted(), codes.toSorted());
  for (const cells of rows) assert.equal(cells.length, 3, cells[0]);
});
