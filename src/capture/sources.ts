/** The registry of sources: one line each, in the order in which they are offered. */
import type { Clock } from '../audio/clock';
import { placed, type Settings, type SettingValues } from '../settings/setting';
import { FLOW_SOURCE } from './flow-source';
import { PULSE_SOURCE } from './pulse/entry';
import type { Source } from './source';
import { TEST_SOURCE } from './test-signal';

export const SOURCES = [PULSE_SOURCE, FLOW_SOURCE, TEST_SOURCE] as const;

export type SourceType = (typeof SOURCES)[number]['type'];
/** The source that a server has where none is chosen. */
export const DEFAULT_SOURCE: SourceType = 'pulse';
export const SOURCE_TYPES: readonly SourceType[] = SOURCES.map(({ type }) => type);

/** The settings of all sources together: no two have one of the same name. */
export const SOURCE_SETTINGS = {
  ...settingsOf(PULSE_SOURCE),
  ...settingsOf(FLOW_SOURCE),
  ...settingsOf(TEST_SOURCE),
};

/** Makes the source of this type; of `values` it takes its own. */
export function createSource(
  type: SourceType,
  values: SettingValues<typeof SOURCE_SETTINGS>,
  clock: Clock,
): Source {
  const entry = SOURCES.find((candidate) => candidate.type === type);
  if (!entry) throw new RangeError(`createSource: there is no source "${type}"`);
  return entry.create(values, clock);
}

/** The settings of one source, shown while it is the chosen one. */
function settingsOf<const S extends Settings>({ type, settings }: { type: string; settings: S }): S {
  return placed({ when: { source: [type] } }, settings);
}
