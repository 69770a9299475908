/** One direction: nodes use src, within src each room uses only the rooms that it may, and no files use each other. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { describe, test } from 'node:test';
import { ESLint } from 'eslint';
import { ROOT } from '../support/packed-package';

const IMPORT = /(?:from|import|require)\s*\(?\s*'(\.[^']+)'/g;

/** What each room may use besides itself: the table that the linter reads too. */
async function readTable(): Promise<Readonly<Record<string, readonly string[]>>> {
  const table = (await import(join(ROOT, 'scripts/lib/rooms.mjs'))) as {
    MAY_USE: Record<string, readonly string[]>;
  };
  return table.MAY_USE;
}

/** Paths of the TypeScript files under `top`, relative to the checkout. */
async function sourceFiles(top = 'src'): Promise<string[]> {
  const entries = await readdir(join(ROOT, top), { recursive: true });
  return entries
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.as.ts'))
    .map((name) => join(top, name));
}

/** The files that each file imports, types included. */
async function importsOf(files: readonly string[]): Promise<Map<string, string[]>> {
  const known = new Set(files);
  const imports = new Map<string, string[]>();
  for (const file of files) {
    const targets = [...(await readFile(join(ROOT, file), 'utf8')).matchAll(IMPORT)]
      .map(([, target = '']) => relative(ROOT, join(ROOT, dirname(file), target)))
      .map((path) => [`${path}.ts`, join(path, 'index.ts')].find((name) => known.has(name)) ?? path);
    imports.set(file, targets);
  }
  return imports;
}

/** The first circle that is met in `graph`, from a place back to itself; undefined where there is none. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (place: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(place)) return [...path.slice(path.indexOf(place)), place];
    if (done.has(place)) return undefined;
    for (const next of graph.get(place) ?? []) {
      const circle = visit(next, [...path, place]);
      if (circle) return circle;
    }
    done.add(place);
    return undefined;
  };
  for (const place of graph.keys()) {
    const circle = visit(place, []);
    if (circle) return circle;
  }
  return undefined;
}

function roomOf(path: string): string {
  const [top, room] = path.split(sep);
  return top === 'src' && room !== undefined ? room : (top ?? '');
}

describe('the rooms of src', () => {
  test('use one another in one direction only', async () => {
    const table = await readTable();
    const wrong: string[] = [];
    for (const [file, targets] of await importsOf(await sourceFiles())) {
      const room = roomOf(file);
      const allowed = [room, ...(table[room] ?? [])];
      for (const target of targets)
        if (!allowed.includes(roomOf(target))) wrong.push(`${file} uses ${target}`);
    }
    assert.deepEqual(wrong, []);
  });

  test('are all known to the rule, and the rule has no circle', async () => {
    const table = await readTable();
    const rooms = new Set((await sourceFiles()).map(roomOf));
    assert.deepEqual(
      [...rooms].filter((room) => !(room in table)),
      [],
    );
    assert.equal(circleIn(new Map(Object.entries(table))), undefined);
  });

  test('are kept apart by the linter, in every room', async () => {
    const table = await readTable();
    const eslint = new ESLint({ cwd: ROOT });
    const oneOfEach = new Map((await sourceFiles()).map((file) => [roomOf(file), file]));
    for (const [room, file] of oneOfEach) {
      const up = relative(dirname(file), 'src');
      const others = [...oneOfEach.keys()].filter((other) => other !== room);
      const banned = others.filter((other) => !table[room]?.includes(other));
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

describe('the files of src and nodes', () => {
  test('use each other in no circle', async () => {
    const files = [...(await sourceFiles('src')), ...(await sourceFiles('nodes'))];
    assert.equal(circleIn(await importsOf(files)), undefined);
  });

  test('would be caught if they did', () => {
    const graph = new Map([
      ['a', ['b', 'd']],
      ['b', ['c']],
      ['c', ['b']],
      ['d', []],
    ]);
    assert.deepEqual(circleIn(graph), ['b', 'c', 'b']);
    assert.equal(
      circleIn(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
      undefined,
    );
  });
});
