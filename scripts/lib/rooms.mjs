/** Who may use whom in src/: the one table, which the linter and test/package/rooms.test.ts read. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Rooms that every other room may use. */
const FOR_ALL = ['audio', 'kernels', 'settings'];

/** The rooms below all others: they use nothing at all. */
const GROUND = ['audio', 'kernels'];

/** What a room may use besides itself and the rooms for all. A room that is not named here uses nothing else. */
const USES = {
  opus: ['resample'],
  containers: ['opus', 'resample'],
  vad: ['resample'],
  server: ['protocol', 'capture', 'resample', 'opus'],
  network: ['protocol'],
  client: ['network', 'protocol', 'opus'],
  convert: ['containers', 'opus', 'resample'],
  discord: ['opus', 'resample'],
  monitor: ['capture', 'opus'],
  transcribe: ['network', 'protocol', 'resample', 'containers'],
};

/** Rooms of src/ that the player uses: of these, what needs nothing of Node.js. */
export const PLAYER_MAY_USE = ['audio', 'protocol', 'network', 'client', 'resample'];

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const FOLDERS = readdirSync(SRC, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/**
 * For each room of src/, the rooms that it may use besides itself.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const MAY_USE = Object.fromEntries(
  [...new Set([...FOLDERS, ...Object.keys(USES)])].map((room) => [
    room,
    GROUND.includes(room) ? [] : [...FOR_ALL.filter((other) => other !== room), ...(USES[room] ?? [])],
  ]),
);
