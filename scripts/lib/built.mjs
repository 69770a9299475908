/** Whether the last build is newer than all that it was made of. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';

/** What a build reads, below the checkout. */
export const SOURCES = {
  directories: ['src', 'nodes', 'editor', 'player', 'sidebar', 'examples', 'scripts'],
  files: ['package.json', 'tsconfig.json', 'tsconfig.build.json'],
};

/**
 * A build marks dist/ with the time at which it began. Directories count, too: a file that is gone changed its own.
 * @returns {boolean}
 */
export function isBuilt() {
  const dist = join(ROOT, 'dist');
  if (!existsSync(dist) || !existsSync(join(ROOT, 'resources', 'orgo-player.js'))) return false;
  const { mtimeMs: builtAt } = statSync(dist);
  const paths = SOURCES.directories.flatMap((directory) => [
    directory,
    ...readdirSync(join(ROOT, directory), { recursive: true }).map((name) => join(directory, String(name))),
  ]);
  return [...paths, ...SOURCES.files].every((path) => statSync(join(ROOT, path)).mtimeMs < builtAt);
}
