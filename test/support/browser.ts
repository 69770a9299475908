/** Finds a browser of the Chromium family, under the names that Debian, Ubuntu and Google give it. */
import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * The path of the first that is in PATH, or undefined. A snap is none: it may not read a profile in the directory for
 * temporary files, and has another sound server's address.
 */
export function findBrowser(path = process.env['PATH'] ?? ''): string | undefined {
  const directories = path.split(delimiter).filter((directory) => directory !== '');
  return NAMES.flatMap((name) => directories.map((directory) => join(directory, name))).find(
    (file) => isProgram(file) && !isSnap(file),
  );
}

/** @throws Error where there is none: `needs('chromium')` skips a test before */
export function browserPath(): string {
  const file = findBrowser();
  if (file === undefined) throw new Error(`No browser in PATH: none of ${NAMES.join(', ')}`);
  return file;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Every command of a snap is a link to the program `snap`, or lies below /snap. */
function isSnap(file: string): boolean {
  const target = realpathSync(file);
  return target.startsWith('/snap/') || target === '/usr/bin/snap' || file.startsWith('/snap/');
}
