/** What a browser of the Chromium family is called by Debian, Ubuntu and Google. */
export const BROWSERS: readonly string[];
/** Debian's own Python. */
export const DEBIAN_PYTHON: string;
/** The path of a browser of the Chromium family in `path`, which is PATH where left out; a snap is none. */
export function findBrowser(path?: string): string | undefined;
/** Whether a program of this name can be run. */
export function hasProgram(name: string): boolean;
/** Whether {@link DEBIAN_PYTHON} has the package `websockets`. */
export function hasPythonWebSockets(): boolean;
