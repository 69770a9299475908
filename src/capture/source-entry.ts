/** What the registry of sources holds of each: its name, its title, its own settings, and how it is made. */
import type { Clock } from '../audio/clock';
import type { Settings, SettingValues } from '../settings/setting';
import type { Source } from './source';

export interface SourceEntry<T extends string = string, S extends Settings = Settings> {
  /** The value of the setting `source` that chooses it; flows keep it, so it is never renamed. */
  readonly type: T;
  /** What the editor calls it, in English; a translation is the word `choice.source.<type>` of a catalog. */
  readonly title: string;
  /** Settings that this source alone has; each with its `label`, or a word in the server node's catalog. */
  readonly settings: S;
  create(values: SettingValues<S>, clock: Clock): Source;
}

/** An entry, its types kept. */
export function sourceEntry<const T extends string, const S extends Settings>(
  entry: SourceEntry<T, S>,
): SourceEntry<T, S> {
  return entry;
}
