/** The secret that a sound server's clients share: 256 bytes in a file. */
import { open } from 'node:fs/promises';
import { constants } from 'node:fs';
import { COOKIE_BYTES } from './protocol';

/** Where the cookie may be: the first file that holds one counts (pulse/client-conf.c). */
export function cookiePaths(env: Readonly<Record<string, string | undefined>>): string[] {
  if (env['PULSE_COOKIE']) return [env['PULSE_COOKIE']];
  const home = env['HOME'];
  const paths: string[] = [];
  if (env['XDG_CONFIG_HOME']) paths.push(`${env['XDG_CONFIG_HOME']}/pulse/cookie`);
  if (home) paths.push(`${home}/.config/pulse/cookie`, `${home}/.pulse-cookie`);
  return [...new Set(paths)];
}

/** The cookie, or zeros where there is none: servers without authentication take those too. */
export async function readCookie(paths: readonly string[]): Promise<Buffer> {
  for (const path of paths) {
    const cookie = await readCookieFile(path);
    if (cookie) return cookie;
  }
  return Buffer.alloc(COOKIE_BYTES);
}

async function readCookieFile(path: string): Promise<Buffer | undefined> {
  try {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const cookie = Buffer.alloc(COOKIE_BYTES);
      const { bytesRead } = await file.read(cookie, 0, COOKIE_BYTES, 0);
      return bytesRead === COOKIE_BYTES ? cookie : undefined;
    } finally {
      await file.close();
    }
  } catch {
    // Unreadable is as good as absent: the next file may serve, or the server may ask for none.
    return undefined;
  }
}
