/** Tells when a source changes: a file that is written, replaced, new or gone, in directories that may be new, too. */
import { readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

/**
 * Watches directories, each by itself: Node.js' own recursive watch on Linux loses a file that an editor or git replaces.
 * @param {string} root
 * @param {{ directories: readonly string[], files: readonly string[] }} sources below `root`, with all that they
 * hold; and files in `root` itself
 * @param {(path: string) => void} onChange told what changed, which may be gone
 * @returns {() => void} ends it
 */
export function watchSources(root, { directories, files }, onChange) {
  /** @type {Map<string, import('node:fs').FSWatcher>} */
  const watchers = new Map();

  const look = () => {
    const present = new Set(directories.flatMap((directory) => withSubdirectories(join(root, directory))));
    for (const [path, watcher] of watchers) {
      if (present.has(path)) continue;
      watcher.close();
      watchers.delete(path);
    }
    for (const path of present) if (!watchers.has(path)) add(path);
  };
  /** @param {string} path */
  const add = (path) => {
    const watcher = watch(path, (_event, name) => {
      look();
      onChange(join(path, name ?? ''));
    });
    // Of a directory that is gone.
    watcher.on('error', look);
    watchers.set(path, watcher);
  };

  look();
  const ofRoot = watch(root, (_event, name) => {
    if (name !== null && files.includes(name)) onChange(join(root, name));
  });
  return () => {
    ofRoot.close();
    for (const watcher of watchers.values()) watcher.close();
  };
}

/** The directory and all below it; none where it does not exist. @param {string} path @returns {string[]} */
function withSubdirectories(path) {
  try {
    const below = readdirSync(path, { recursive: true, withFileTypes: true });
    return [
      path,
      ...below.filter((entry) => entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name)),
    ];
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
