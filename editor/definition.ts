/** What a node's settings are to Node-RED's editor: its defaults, credentials and validators. */
import { environmentVariableOf, readSetting } from '../src/settings/read';
import type { Setting, Settings } from '../src/settings/setting';
import type { Default, EditorNode } from './node-red';

/** A check that depends on more than the value: true, or what is wrong with it. */
export type OwnCheck = (this: EditorNode, value: unknown) => true | string;

export function defaultsOf(
  settings: Settings,
  checks: Readonly<Record<string, OwnCheck>> = {},
): Record<string, Default> {
  const defaults: Record<string, Default> = { name: { value: '' } };
  for (const [name, setting] of Object.entries(settings)) {
    if (setting.kind === 'secret') continue;
    defaults[name] = defaultOf(name, setting, checks[name]);
  }
  return defaults;
}

function defaultOf(name: string, setting: Setting, check: OwnCheck | undefined): Default {
  // Node-RED itself knows whether a config node is there.
  if (setting.kind === 'config') return { value: '', type: setting.type, required: setting.required };
  return {
    value: setting.fallback ?? '',
    // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the second parameter lets it return a text
    validate(value, _options) {
      if (environmentVariableOf(value) !== undefined) return true;
      const reading = readSetting(setting, value);
      if ('problem' in reading) return `${name} ${reading.problem}`;
      return check?.call(this, value) ?? true;
    },
  };
}
