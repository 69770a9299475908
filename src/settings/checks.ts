/** What some texts have to be: the run time and the editor ask here. No Node.js in it, since browsers run it too. */
import type { TextCheck } from './setting';

export interface Check {
  /** What is wanted, after "it must". */
  readonly must: string;
  accepts(text: string): boolean;
}

export const CHECKS: Readonly<Record<TextCheck, Check>> = {
  // Node.js would take an empty address for every address of the machine.
  'listen-address': {
    must: 'be an address to listen on, such as 127.0.0.1, or 0.0.0.0 for all',
    accepts: (host) => host !== '',
  },
  // Clients write a path as the URL standard has it: any other would never be asked for.
  'url-path': {
    must: 'begin with / and hold only what needs no encoding in a URL',
    accepts: (path) => {
      const url = `http://localhost${path}`;
      return path.startsWith('/') && URL.canParse(url) && new URL(url).pathname === path;
    },
  },
  'computer-id': {
    must: 'hold no slash, backslash or control character',
    // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
    accepts: (id) => !/[/\\\u0000-\u001f]/.test(id) && id !== '.' && id !== '..',
  },
  // A snowflake: 64 bits, of which the highest are the time, so that none of today is shorter.
  'discord-id': {
    must: 'be an id of Discord, which has 17 to 20 digits: turn on Developer Mode there, right-click, Copy ID',
    accepts: (id) => /^[1-9]\d{16,19}$/.test(id),
  },
  origins: {
    must: 'hold origins, scheme://host or scheme://host:port, with commas between them; blank for any',
    accepts: (list) => list.split(',').every((text) => isOrigin(text.trim().replace(/\/$/, ''))),
  },
};

/** What a template such as `wss://{computer_id}.orgo.dev/audio` leaves open. */
const PLACEHOLDER = '{computer_id}';

/** Whether `text` is an address, or a template of one, that begins with one of `schemes`. */
export function isAddress(text: string, schemes: readonly string[]): boolean {
  const filled = text.replaceAll(PLACEHOLDER, 'id');
  return URL.canParse(filled) && schemes.includes(new URL(filled).protocol);
}

const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^/?#\s]+$/i;

function isOrigin(text: string): boolean {
  return text === '' || text === 'null' || (ORIGIN.test(text) && URL.canParse(text));
}
