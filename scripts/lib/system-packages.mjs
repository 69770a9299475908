/** The system's packages that the tests use: which are missing, and their installation by apt-get. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './run.mjs';

/** Debian's own Python: a version manager's has no Debian packages. */
const DEBIAN_PYTHON = '/usr/bin/python3';

/** Debian's name of each package, and how to tell that what it brings is here, on any system. */
const PACKAGES = /** @type {const} */ ([
  ['pulseaudio', () => hasProgram('pulseaudio')],
  ['pulseaudio-utils', () => hasProgram('pactl')],
  ['pipewire', () => hasProgram('pipewire')],
  ['pipewire-pulse', () => hasProgram('pipewire-pulse')],
  ['wireplumber', () => hasProgram('wireplumber')],
  ['dbus', () => hasProgram('dbus-daemon')],
  ['chromium', () => hasProgram('chromium')],
  ['nginx', () => hasProgram('nginx')],
  ['sox', () => hasProgram('sox')],
  ['ffmpeg', () => hasProgram('ffmpeg')],
  ['opus-tools', () => hasProgram('opusenc')],
  ['openssl', () => hasProgram('openssl')],
  ['python3-websockets', () => spawnSync(DEBIAN_PYTHON, ['-c', 'import websockets']).status === 0],
  ['pocketsphinx', () => hasProgram('pocketsphinx_continuous') || hasProgram('pocketsphinx')],
  ['pocketsphinx-en-us', () => existsSync('/usr/share/pocketsphinx/model/en-us')],
  ['pocketsphinx-testdata', () => existsSync('/usr/share/pocketsphinx/test')],
]);

/** Debian names of the packages that are not here. */
export function missingPackages() {
  return PACKAGES.filter(([, isHere]) => !isHere()).map(([name]) => name);
}

/**
 * Installs `names` by apt-get, where this user may.
 * @param {readonly string[]} names
 * @returns {Promise<string | undefined>} why it was not done; undefined where it was
 */
export async function installPackages(names) {
  if (!hasProgram('apt-get')) return 'this system has no apt-get';
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync('sudo', ['-n', 'true']).status !== 0) {
    return 'that needs root, or sudo without a password';
  }
  const prefix = isRoot ? [] : ['sudo', '-n'];
  const aptGet = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q'];
  try {
    await runWords([...prefix, ...aptGet, 'update']);
    await runWords([...prefix, ...aptGet, 'install', '-y', '--no-install-recommends', ...names]);
    return undefined;
  } catch (error) {
    return error.message;
  }
}

/** @param {string[]} words */
function runWords([command, ...args]) {
  return run(command, args, { quiet: true });
}

/** @param {string} name */
function hasProgram(name) {
  // nginx lies in a directory that is not in every user's PATH.
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
