/** What nodes use of the settings' schema. */
export { parseSettings } from '../../src/settings/read';
export * from '../../src/settings/setting';
