/** Where the sound server listens: from the setting, PULSE_SERVER, or the usual places. */
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { OrgoError } from '../../audio/errors';

export type PulseAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** What the search depends on beside the setting. */
export interface AddressContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's number; undefined where there is none (Windows). */
  readonly uid: number | undefined;
  /** Of systemd; addresses with another machine's prefix are left out. */
  readonly machineId: string | undefined;
}

const DEFAULT_PORT = 4713;
const MAX_PORT = 65535;
const MACHINE_ID_PATHS = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

/** The context of this process, with `env` in place of its environment. */
export function systemContext(env: Readonly<Record<string, string | undefined>>): AddressContext {
  return { env, uid: process.getuid?.(), machineId: readMachineId() };
}

function readMachineId(): string | undefined {
  for (const path of MACHINE_ID_PATHS) {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * The addresses to try, in order.
 * @param setting as PULSE_SERVER: `unix:/path`, `/path`, `tcp:host:port`, `host`; several with spaces between,
 *   each with an optional `{machine-id}` in front. Blank: PULSE_SERVER, then the places where servers listen.
 * @throws {OrgoError} ORGO_BAD_SETTING when the setting or PULSE_SERVER is no address
 */
export function pulseAddresses(setting: string, context: AddressContext): PulseAddress[] {
  const fromSetting = setting.trim();
  if (fromSetting !== '') return parseAddresses(fromSetting, 'pulseServer', context);
  const fromEnv = context.env['PULSE_SERVER']?.trim() ?? '';
  if (fromEnv !== '') return parseAddresses(fromEnv, 'PULSE_SERVER', context);
  return defaultPaths(context).map((path) => ({ kind: 'unix', path }));
}

/** `unix:/run/user/1000/pulse/native`, `tcp:host:4713`: for errors. */
export function addressText(address: PulseAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = isIPv6(address.host) ? `[${address.host}]` : address.host;
  return `tcp:${host}:${address.port}`;
}

function defaultPaths({ env, uid }: AddressContext): string[] {
  const paths: string[] = [];
  if (env['PULSE_RUNTIME_PATH']) paths.push(`${env['PULSE_RUNTIME_PATH']}/native`);
  if (env['XDG_RUNTIME_DIR']) paths.push(`${env['XDG_RUNTIME_DIR']}/pulse/native`);
  if (uid !== undefined) paths.push(`/run/user/${uid}/pulse/native`);
  paths.push('/var/run/pulse/native');
  return [...new Set(paths)];
}

function parseAddresses(text: string, where: string, { machineId }: AddressContext): PulseAddress[] {
  const addresses: PulseAddress[] = [];
  for (const entry of text.split(/\s+/)) {
    const [, prefix, rest = ''] = /^(?:\{([^}]*)\})?(.*)$/.exec(entry) ?? [];
    if (prefix !== undefined && prefix !== machineId) continue;
    const address = parseAddress(rest);
    if (!address) {
      throw new OrgoError(
        'ORGO_BAD_SETTING',
        `${where} is "${text}", of which "${entry}" is no address of a sound server. Use unix:/path/to/socket or tcp:host:port.`,
      );
    }
    addresses.push(address);
  }
  if (addresses.length === 0) {
    throw new OrgoError(
      'ORGO_BAD_SETTING',
      `${where} is "${text}", which names only other machines than this (${machineId ?? 'no machine-id'}). Add an address without a {machine-id}.`,
    );
  }
  return addresses;
}

function parseAddress(text: string): PulseAddress | undefined {
  if (text.startsWith('/')) return { kind: 'unix', path: text };
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return path.startsWith('/') ? { kind: 'unix', path } : undefined;
  }
  const [, host, port] =
    /^(?:tcp[46]?:)?(?:\/\/)?(\[[\da-fA-F:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined) return undefined;
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (number < 1 || number > MAX_PORT) return undefined;
  return { kind: 'tcp', host: host.replace(/^\[|\]$/g, ''), port: number };
}
