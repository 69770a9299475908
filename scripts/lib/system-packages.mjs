/** The system's packages that the tests use: which are missing, and their installation by apt-get. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findBrowser, hasProgram, hasPythonWebSockets } from './programs.cjs';
import { run } from './run.mjs';

const SOUND = 'a sound server to capture';
const PIPEWIRE = "PipeWire's sound server, to capture";
const SPEECH = 'recordings of people, and a recogniser to understand them';

/** Debian's name of each package, how to tell that what it brings is here, on any system, and what it is for. */
const PACKAGES = /** @type {const} */ ([
  ['pulseaudio', () => hasProgram('pulseaudio'), SOUND],
  ['pulseaudio-utils', () => hasProgram('pactl'), SOUND],
  ['pipewire', () => hasProgram('pipewire'), PIPEWIRE],
  ['pipewire-pulse', () => hasProgram('pipewire-pulse'), PIPEWIRE],
  ['wireplumber', () => hasProgram('wireplumber'), PIPEWIRE],
  ['dbus', () => hasProgram('dbus-daemon'), PIPEWIRE],
  ['chromium', () => findBrowser() !== undefined, 'a browser that listens'],
  ['nginx', () => hasProgram('nginx'), 'a TLS proxy in front of the server'],
  ['sox', () => hasProgram('sox'), 'another resampler to compare ours with'],
  ['ffmpeg', () => hasProgram('ffmpeg'), 'Ogg and WebM that others wrote'],
  ['opus-tools', () => hasProgram('opusenc'), 'Ogg and WebM that others wrote'],
  ['mosquitto', () => hasProgram('mosquitto'), 'an MQTT broker'],
  ['openssl', () => hasProgram('openssl'), 'certificates'],
  ['python3-websockets', hasPythonWebSockets, 'a client of the server that shares no code with us'],
  ['pocketsphinx', () => hasProgram('pocketsphinx_continuous') || hasProgram('pocketsphinx'), SPEECH],
  ['pocketsphinx-en-us', () => existsSync('/usr/share/pocketsphinx/model/en-us'), SPEECH],
  ['pocketsphinx-testdata', () => existsSync('/usr/share/pocketsphinx/test'), SPEECH],
]);

/** Debian names of the packages that are not here. */
export function missingPackages() {
  return PACKAGES.filter(([, isHere]) => !isHere()).map(([name]) => name);
}

/** What is about to be installed, and why, for people. @param {readonly string[]} names */
export function describeInstallation(names) {
  const lines = PACKAGES.filter(([name]) => names.includes(name)).map(
    ([name, , purpose]) => `  ${name.padEnd(22)} ${purpose}`,
  );
  return `The tests use programs that are not here, and install them by apt-get:\n${lines.join('\n')}`;
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
    // One name that apt does not know would keep it from installing the others: Ubuntu has Chromium as a snap only.
    const known = names.filter((name) => spawnSync('apt-cache', ['show', name]).status === 0);
    await runWords([...prefix, ...aptGet, 'install', '-y', '--no-install-recommends', ...known]);
    const unknown = names.filter((name) => !known.includes(name));
    return unknown.length === 0 ? undefined : `apt does not know ${unknown.join(', ')}`;
  } catch (error) {
    return error.message;
  }
}

/** @param {string[]} words */
function runWords([command, ...args]) {
  return run(command, args, { quiet: true });
}
