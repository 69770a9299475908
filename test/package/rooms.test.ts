/** One direction: nodes use src, and within src each room uses only the rooms that it may. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { describe, test } from 'node:test';
import { ESLint } from 'eslint';
import { ROOT } from '../support/packed-package';

const FOR_ALL = ['audio', 'kernels', 'settings'];

/** What each room may use beside itself. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  audio: [],
  kernels: [],
  settings: [...FOR_ALL],
  protocol: [...FOR_ALL],
  capture: [...FOR_ALL],
  resample: [...FOR_ALL],
  server: [...FOR_ALL, 'protocol', 'capture', 'resample'],
  client: [...FOR_ALL, 'protocol'],
  opus: [...FOR_ALL, 'resample'],
  vad: [...FOR_ALL, 'resample'],
  discord: [...FOR_ALL, 'opus', 'resample'],
};
const IMPORT = /(?:from|import|require)\s*\(?\s*'(\.[^']+)'/g;

/** Paths of the TypeScript files under src/, relative to the checkout. */
async function sourceFiles(): Promise<string[]> {
  const entries = await readdir(join(ROOT, 'src'), { recursive: true });
  return entries.filter((name) => name.endsWith('.ts')).map((name) => join('src', name));
}

function roomOf(path: string): string {
  const [top, room] = path.split(sep);
  return top === 'src' && room !== undefined ? room : (top ?? '');
}

describe('the rooms of src', () => {
  test('use one another in one direction only', async () => {
    const wrong = [];
    for (const file of await sourceFiles()) {
      const room = roomOf(file);
      const allowed = [room, ...(MAY_USE[room] ?? [])];
      for (const [, target = ''] of (await readFile(join(ROOT, file), 'utf8')).matchAll(IMPORT)) {
        const used = roomOf(relative(ROOT, join(ROOT, dirname(file), target)));
        if (!allowed.includes(used)) wrong.push(`${file} uses ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test('are all known to the rule', async () => {
    const rooms = new Set((await sourceFiles()).map(roomOf));
    assert.deepEqual(
      [...rooms].filter((room) => !(room in MAY_USE)),
      [],
    );
  });

  test('are kept apart by the linter, in every room', async () => {
    const eslint = new ESLint({ cwd: ROOT });
    const oneOfEach = new Map((await sourceFiles()).map((file) => [roomOf(file), file]));
    for (const [room, file] of oneOfEach) {
      const up = relative(dirname(file), 'src');
      const others = [...oneOfEach.keys()].filter((other) => other !== room);
      const banned = others.filter((other) => !MAY_USE[room]?.includes(other));
      const imports = [...others.map((other) => `${up}/${other}/x`), `${up}/../nodes/shared/red`];
      const [result] = await eslint.lintText(imports.map((path) => `import '${path}';\n`).join(''), {
        filePath: join(ROOT, file),
      });
      const reported = (result?.messages ?? [])
        .filter(({ ruleId }) => ruleId === 'no-restricted-imports')
        .map(({ line }) => imports[line - 1]);
      const wanted = [...banned.map((other) => `${up}/${other}/x`), `${up}/../nodes/shared/red`];
      assert.deepEqual(reported, wanted, `in ${file}`);
    }
  });
});
