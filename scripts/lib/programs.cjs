/** Which programs this machine has: for the scripts, and for the tests, which skip what can't run. */
const { spawnSync } = require('node:child_process');
const { accessSync, constants, realpathSync } = require('node:fs');
const { delimiter, join } = require('node:path');

/** Debian's own Python: a version manager's has no Debian packages. */
const DEBIAN_PYTHON = '/usr/bin/python3';
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** nginx lies in a directory that is not in every user's PATH. */
const MORE_DIRECTORIES = ['/usr/sbin', '/sbin'];

/** @param {string} name */
function hasProgram(name) {
  return programsNamed(name, [...directoriesIn(process.env.PATH), ...MORE_DIRECTORIES]).length > 0;
}

/**
 * The path of the first one in PATH, or undefined. A snap is none: it may not read a profile in the directory for
 * temporary files, and has another sound server's address.
 */
function findBrowser(path = process.env.PATH) {
  const directories = directoriesIn(path);
  return BROWSERS.flatMap((name) => programsNamed(name, directories)).find((file) => !isSnap(file));
}

function hasPythonWebSockets() {
  return spawnSync(DEBIAN_PYTHON, ['-c', 'import websockets']).status === 0;
}

/** @param {string | undefined} path */
function directoriesIn(path = '') {
  return path.split(delimiter).filter((directory) => directory !== '');
}

/** @param {string} name @param {readonly string[]} directories */
function programsNamed(name, directories) {
  return directories
    .map((directory) => join(directory, name))
    .filter((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Every command of a snap is a link to the program `snap`, or lies below /snap. @param {string} file */
function isSnap(file) {
  const target = realpathSync(file);
  return target.startsWith('/snap/') || target === '/usr/bin/snap' || file.startsWith('/snap/');
}

module.exports = { BROWSERS, DEBIAN_PYTHON, findBrowser, hasProgram, hasPythonWebSockets };
