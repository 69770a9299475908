/** The browser that the tests start. */
import { BROWSERS, findBrowser } from '../../scripts/lib/programs.cjs';

/** @throws Error where there is none: `needs('chromium')` skips a test before */
export function browserPath(): string {
  const file = findBrowser();
  if (file === undefined) throw new Error(`No browser in PATH: none of ${BROWSERS.join(', ')}`);
  return file;
}
