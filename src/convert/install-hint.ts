/** The command that installs ffmpeg on this platform. */
import { readFile } from 'node:fs/promises';

/** By ID and ID_LIKE of /etc/os-release (freedesktop.org, os-release). */
const LINUX_COMMANDS: Readonly<Record<string, string>> = {
  debian: 'sudo apt-get install ffmpeg',
  ubuntu: 'sudo apt-get install ffmpeg',
  raspbian: 'sudo apt-get install ffmpeg',
  alpine: 'apk add ffmpeg',
  fedora: 'sudo dnf install ffmpeg-free',
  arch: 'sudo pacman -S ffmpeg',
  suse: 'sudo zypper install ffmpeg',
};
const OTHER = 'the package manager of this system, package ffmpeg (https://ffmpeg.org/download.html)';

/** The command for a Linux system, by the text of its os-release file. */
export function linuxCommand(osRelease: string): string {
  const values = new Map<string, string>();
  for (const [, key = '', value = ''] of osRelease.matchAll(/^(ID|ID_LIKE)=["']?([^"'\n]*)/gm))
    values.set(key, value);
  const names = `${values.get('ID') ?? ''} ${values.get('ID_LIKE') ?? ''}`.split(/\s+/);
  for (const name of names) {
    const command = Object.hasOwn(LINUX_COMMANDS, name) ? LINUX_COMMANDS[name] : undefined;
    if (command !== undefined) return command;
  }
  return OTHER;
}

/** `sudo apt-get install ffmpeg`, or what does the same here. */
export async function installCommand(
  platform: NodeJS.Platform = process.platform,
  osReleasePath = '/etc/os-release',
): Promise<string> {
  if (platform === 'darwin') return 'brew install ffmpeg';
  if (platform === 'win32') return 'winget install Gyan.FFmpeg';
  try {
    return linuxCommand(await readFile(osReleasePath, 'utf8'));
  } catch {
    // Not every system has the file; then nothing better is known.
    return OTHER;
  }
}
