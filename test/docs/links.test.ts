/** The documents lead where they say: every relative link is to a file, and to a heading where it names one. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/packed-package';

/** `[text](target)`, but no address of the web. */
const LINK = /\]\((?!https?:)([^)\s]+)\)/g;
/** A picture, in Markdown or HTML. */
const PICTURE = /(?:!\[[^\]]*\]\(|\bsrc(?:set)?=")([^)"\s]+\.png)/g;
const MAX_PICTURE_BYTES = 100_000;
/** Pages that a newcomer has to find from the README in one step. */
const FROM_README = ['architecture', 'extending', 'messages', 'errors', 'protocol', 'settings'];

function pages(): string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true }).map((name) => join('docs', String(name)));
  return [...top, ...docs.filter((name) => name.endsWith('.md'))];
}

/** The name by which GitHub links to a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

test('every relative link of the documents leads somewhere', () => {
  const dead: string[] = [];
  let count = 0;
  for (const page of pages()) {
    for (const [, target = ''] of readFileSync(join(ROOT, page), 'utf8').matchAll(LINK)) {
      count++;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
      const isFound =
        existsSync(file) && (anchor === undefined || anchorsIn(readFileSync(file, 'utf8')).includes(anchor));
      if (!isFound) dead.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(dead, []);
  assert.ok(count > 10, `${count} links`);
});

test('docs/architecture.md has a row for each room of src/', () => {
  const page = readFileSync(join(ROOT, 'docs', 'architecture.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `src\/(\w+)` \|/gm)].map(([, room]) => room);
  const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  assert.deepEqual(rows.toSorted(), rooms.map(({ name }) => name).toSorted());
});

test('the README leads to each page of docs/', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  for (const name of FROM_README) assert.ok(readme.includes(`](docs/${name}.md)`), name);
});

test('every file that the documents name is there', () => {
  const missing: string[] = [];
  for (const page of ['docs/architecture.md', 'docs/extending.md', 'CONTRIBUTING.md']) {
    const text = readFileSync(join(ROOT, page), 'utf8');
    for (const [, path = ''] of text.matchAll(/`((?:src|nodes|scripts|test|docs)\/[\w./-]+)`/g)) {
      const isDrill = /gain|sine/.test(path);
      if (!isDrill && !existsSync(join(ROOT, path))) missing.push(`${page}: ${path}`);
    }
  }
  assert.deepEqual(missing, []);
});

test('every picture is shown somewhere, is there, and is small', () => {
  const shown = pages().flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(PICTURE)].map(([, target = '']) =>
      join(dirname(page), target),
    ),
  );
  const folder = join('docs', 'pictures');
  const pictures = readdirSync(join(ROOT, folder)).map((name) => join(folder, name));
  assert.deepEqual([...new Set(shown)].toSorted(), pictures.toSorted());
  for (const picture of pictures) {
    const { size } = statSync(join(ROOT, picture));
    assert.ok(size <= MAX_PICTURE_BYTES, `${picture} has ${size} bytes`);
  }
});
