/** Looks for ffmpeg, without holding up the event loop. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { OrgoError } from '../audio/errors';
import { installCommand } from './install-hint';

const run = promisify(execFile);

/** Services are often started with a short PATH that lacks these. */
const USUAL_PLACES: readonly string[] = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];
const VERSION_TIMEOUT_MS = 20_000;

export interface Ffmpeg {
  /** Absolute. */
  readonly path: string;
  /** As it names it: `5.1.9-0+deb12u1`. */
  readonly version: string;
}

export interface SearchOptions {
  /** The value of PATH. */
  readonly path?: string;
  readonly usualPlaces?: readonly string[];
  readonly platform?: NodeJS.Platform;
}

/** @throws OrgoError `ORGO_NO_FFMPEG` with the command that installs it */
export async function searchFfmpeg(options: SearchOptions = {}): Promise<Ffmpeg> {
  const {
    path = process.env['PATH'] ?? '',
    usualPlaces = USUAL_PLACES,
    platform = process.platform,
  } = options;
  const name = platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  const broken: string[] = [];
  // A relative entry of PATH would let the working directory decide which program runs.
  const directories = [...path.split(delimiter).filter(isAbsolute), ...usualPlaces];
  for (const directory of new Set(directories)) {
    const file = join(directory, name);
    if (!(await isExecutable(file))) continue;
    const version = await versionOf(file);
    if (version !== undefined) return { path: file, version };
    broken.push(file);
  }
  const found =
    broken.length > 0 ? `does not run (${broken.join(', ')})` : 'is not installed where Node-RED runs';
  const command = await installCommand(platform);
  throw new OrgoError('ORGO_NO_FFMPEG', `ffmpeg ${found}. Install it: ${command}`);
}

let search: Promise<Ffmpeg> | undefined;

/**
 * The ffmpeg of this machine, looked for once in this process; where none was found the next call looks again, so
 * an ffmpeg that was installed since is used without a restart.
 * @throws OrgoError as {@link searchFfmpeg} does
 */
export function findFfmpeg(): Promise<Ffmpeg> {
  if (search) return search;
  const current = searchFfmpeg();
  search = current;
  current.catch(() => {
    search = undefined;
  });
  return current;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(file: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(file, ['-hide_banner', '-version'], {
      timeout: VERSION_TIMEOUT_MS,
      windowsHide: true,
    });
    return /^ffmpeg version (\S+)/.exec(stdout)?.[1];
  } catch {
    // The caller reports a broken program, with its path.
    return undefined;
  }
}
