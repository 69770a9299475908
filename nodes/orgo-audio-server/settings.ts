/** The settings of an audio server's node: what a flow leaves out takes its default, what is wrong is refused. */
import { OrgoError } from '../../src/audio/errors';
import { DEFAULT_SOURCE, SOURCE_SETTINGS, SOURCE_TYPES } from '../../src/capture/sources';
import { desktopAudioPath, routeOf } from '../../src/protocol/urls';
import { parseOrigins } from '../../src/server/access';
import { DEFAULT_MAX_BACKLOG_MS, DEFAULT_MAX_LISTENERS } from '../../src/server/audio-server';
import { INPUT_SETTINGS } from '../shared/audio-description';
import type { NodeConfig, RedNode } from '../shared/red';
import { boolean, number, oneOf, parseSettings, secret, text, type SettingValues } from '../shared/settings';

/** What the editor keeps of a node. */
export const SETTINGS = {
  source: oneOf(DEFAULT_SOURCE, SOURCE_TYPES),
  ...SOURCE_SETTINGS,
  listen: oneOf('own', ['own', 'node-red']),
  host: text('127.0.0.1'),
  port: number(8765, { min: 0, max: 65535, integer: true }),
  path: text('/audio'),
  tls: text(),
  computerId: text(),
  maxListeners: number(DEFAULT_MAX_LISTENERS, { min: 1, max: 100_000, integer: true }),
  maxBacklogMs: number(DEFAULT_MAX_BACKLOG_MS, { min: 40, max: 60_000 }),
  trustProxy: boolean(false),
  allowedOrigins: text(),
  ...INPUT_SETTINGS,
};
const CREDENTIALS = { password: secret(), apiKey: secret() };

/** A node's settings, its credentials among them. */
export interface ServerSettings extends Omit<
  SettingValues<typeof SETTINGS & typeof CREDENTIALS>,
  'allowedOrigins'
> {
  readonly allowedOrigins: readonly string[];
}

/** @throws OrgoError `ORGO_BAD_SETTING` naming each wrong setting, its value and what is allowed */
export function readServerSettings(config: NodeConfig, credentials: RedNode['credentials']): ServerSettings {
  const settings = { ...parseSettings(SETTINGS, config), ...parseSettings(CREDENTIALS, credentials) };
  checkHost(settings.host);
  checkPath(settings.path);
  checkComputerId(settings.computerId);
  return { ...settings, allowedOrigins: parseOrigins(settings.allowedOrigins) };
}

/** Node.js would take none for every address of the machine. */
function checkHost(host: string): void {
  if (host !== '') return;
  throw new OrgoError(
    'ORGO_BAD_SETTING',
    'host is empty: it must be an address to listen on, such as 127.0.0.1, or 0.0.0.0 for all',
  );
}

/** Clients write a path as the URL standard has it: any other would never be asked for. */
function checkPath(path: string): void {
  const url = `http://localhost${path}`;
  if (!path.startsWith('/') || !URL.canParse(url) || new URL(url).pathname !== path) {
    throw new OrgoError(
      'ORGO_BAD_SETTING',
      `path is ${JSON.stringify(path)}: it must begin with / and hold only what needs no encoding in a URL`,
    );
  }
}

function checkComputerId(id: string): void {
  if (id !== '' && routeOf(desktopAudioPath(id), '') === undefined) {
    throw new OrgoError(
      'ORGO_BAD_SETTING',
      `computerId is ${JSON.stringify(id)}: it must hold no slash, backslash or control character`,
    );
  }
}
