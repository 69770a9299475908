/** Where this package lies: what is built for browsers is found from there. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the package.json above this file: above `src`, and above `dist/src`. */
export function packageRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
