/** Compiles src/ and nodes/ into dist/, puts what is no TypeScript beside it, and bundles the editor's scripts and the player. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { dependency, Failure, ROOT, run, runMain } from './lib/run.mjs';

/** Beside a node: its words and icons. In src: data that the code reads, and licences of what it embeds. */
const ASSETS = [
  { root: 'nodes', pattern: /([/\\]locales[/\\].+\.(json|html)|[/\\]icons[/\\].+\.(svg|png))$/ },
  { root: 'src', pattern: /(\.raw|\.bin|LICENSE)$/ },
];

runMain(async () => {
  // Built aside and swapped in at the end, so that a failure leaves the last good build in place.
  const staging = join(ROOT, '.tmp', `build-${process.pid}`);
  const replaced = `${staging}-replaced`;
  const begin = new Date();
  await mkdir(dirname(staging), { recursive: true });
  try {
    await run(process.execPath, [
      dependency('typescript/bin/tsc'),
      ...['--project', 'tsconfig.build.json', '--outDir', staging],
    ]);
    for (const { root, pattern } of ASSETS) await copyAssets(root, pattern, staging);
    await run(process.execPath, ['--import', 'tsx', 'scripts/editor.ts', staging]);
    await buildForBrowsers();
    await checkDeclaredNodes(staging);
    // What changes from here on is not in it: isBuilt compares.
    await utimes(staging, begin, begin);
    const dist = join(ROOT, 'dist');
    if (existsSync(dist)) await rename(dist, replaced);
    await rename(staging, dist);
  } finally {
    await rm(staging, { recursive: true, force: true });
    await rm(replaced, { recursive: true, force: true });
  }
});

/** @param {string} root @param {RegExp} pattern @param {string} staging */
async function copyAssets(root, pattern, staging) {
  const entries = await readdir(join(ROOT, root), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name).slice(ROOT.length);
    if (entry.isFile() && pattern.test(path)) await cp(join(ROOT, path), join(staging, path));
  }
}

/** The player is one module: pages import it, and load it again as their audio worklet. The page /listen is one of them. */
async function buildForBrowsers() {
  const resources = join(ROOT, 'resources');
  await bundle(join('player', 'index.ts'), join(resources, 'orgo-player.js'));
  await bundle(join('sidebar', 'index.ts'), join(resources, 'orgo-audio-tab.js'), [], 'iife');
  const page = join('player', 'listen');
  await bundle(join(page, 'page.ts'), join(resources, 'listen', 'page.js'), [
    {
      name: 'import the player as it is served',
      setup({ onResolve }) {
        onResolve({ filter: /^\.\.\/index$/ }, () => ({ path: './player.js', external: true }));
      },
    },
  ]);
  for (const file of ['index.html', 'page.css', 'icon.svg']) {
    await cp(join(ROOT, page, file), join(resources, 'listen', file));
  }
}

/** @param {string} entry @param {string} file @param {import('esbuild').Plugin[]} [plugins] @param {'esm' | 'iife'} [format] */
async function bundle(entry, file, plugins = [], format = 'esm') {
  const staged = `${file}.${process.pid}`;
  await build({
    entryPoints: [join(ROOT, entry)],
    outfile: staged,
    bundle: true,
    minify: true,
    format,
    target: 'es2022',
    logLevel: 'error',
    plugins,
  });
  await rename(staged, file);
}

/** A node that package.json declares without its two files would fail only in the user's editor. */
async function checkDeclaredNodes(staging) {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  for (const path of Object.values(manifest['node-red'].nodes)) {
    const built = path.replace(/^dist/, staging);
    for (const file of [built, built.replace(/\.js$/, '.html')]) {
      if (!existsSync(file)) throw new Failure(`package.json declares ${path}, but nothing built ${file}.`);
    }
  }
}
