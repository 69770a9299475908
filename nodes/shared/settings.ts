/** What nodes use of the settings' schema, and the credentials that Node-RED must know. */
import type { Settings } from '../../src/settings/setting';
import type { RegisterOptions } from './red';

export { parseSettings } from '../../src/settings/read';
export * from '../../src/settings/setting';

/** The credentials among a node's settings, as `registerType` wants them. */
export function credentialsOf(settings: Settings): Required<RegisterOptions>['credentials'] {
  const secrets = Object.entries(settings).filter(([, { kind }]) => kind === 'secret');
  return Object.fromEntries(secrets.map(([name]) => [name, { type: 'password' }]));
}
