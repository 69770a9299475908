/** Who may use whom in src/: the one table, which the linter and test/package/rooms.test.ts read. */

/** Rooms that every other room may use. */
const FOR_ALL = ['audio', 'kernels', 'settings'];

/** What each room may use besides itself and the rooms for all. `audio` and `kernels` use nothing at all. */
const USES = {
  audio: [],
  kernels: [],
  settings: [],
  resample: [],
  protocol: [],
  capture: [],
  opus: ['resample'],
  containers: ['opus', 'resample'],
  vad: ['resample'],
  server: ['protocol', 'capture', 'resample', 'opus'],
  client: ['protocol', 'opus'],
  convert: ['containers', 'opus', 'resample'],
  transcribe: ['containers', 'resample'],
  discord: ['opus', 'resample'],
  monitor: ['resample'],
};

/**
 * For each room of src/, the rooms that it may use besides itself.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const MAY_USE = Object.fromEntries(
  Object.entries(USES).map(([room, rooms]) => [
    room,
    room === 'audio' || room === 'kernels' ? [] : [...FOR_ALL.filter((other) => other !== room), ...rooms],
  ]),
);
