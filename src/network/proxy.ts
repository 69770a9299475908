/** Finds the HTTP proxy for an address in the usual environment variables. */

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Proxy {
  /** `http:` or `https:`; may hold a user name and a password. */
  readonly url: URL;
  /** The variable that names it, for errors. */
  readonly variable: string;
}

const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  'https:': ['https_proxy', 'HTTPS_PROXY'],
  'wss:': ['https_proxy', 'HTTPS_PROXY'],
  'http:': ['http_proxy', 'HTTP_PROXY'],
  'ws:': ['http_proxy', 'HTTP_PROXY'],
};
const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  'https:': '443',
  'wss:': '443',
  'http:': '80',
  'ws:': '80',
};
const LOOPBACK = /^(?:127\.[\d.]+|(?:.+\.)?localhost|\[::1\])$/;

/**
 * The proxy for `url`; undefined if it needs none. As in curl, the variables in lower case come first. As in
 * browsers, addresses on this machine need no proxy.
 * @throws Error naming the variable, if it does not hold the address of an HTTP proxy
 */
export function proxyFor(url: URL, env: Environment = process.env): Proxy | undefined {
  const variable = VARIABLES[url.protocol]?.find((name) => (env[name] ?? '') !== '');
  if (variable === undefined || LOOPBACK.test(url.hostname) || isExempt(url, env)) return undefined;
  const value = env[variable] ?? '';
  const address = /^[a-z][\w+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const proxy = URL.canParse(address) ? new URL(address) : undefined;
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return { url: proxy, variable };
  const shown = proxy ? `${proxy.protocol}//${proxy.host}` : 'something that is not an address';
  throw new Error(
    `the environment variable ${variable} holds ${shown}: it must be an http:// or https:// proxy`,
  );
}

/** The port of `url`; the scheme's default port if it names none. */
export function portOf(url: URL): string {
  return url.port || (DEFAULT_PORTS[url.protocol] ?? '');
}

/** Whether NO_PROXY lists the host: `*`, `host`, `.domain` or `*.domain`, each with or without `:port`. */
function isExempt(url: URL, env: Environment): boolean {
  const list = env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  const host = url.hostname.toLowerCase();
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, name = '', port] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (name === '' || (port !== undefined && port !== portOf(url))) return false;
    return host === name || host.endsWith(`.${name}`);
  });
}
