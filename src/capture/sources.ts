/** The registry of sources, in the order in which they are offered: a new one is imported, and named in the list. */
import type { Clock } from '../audio/clock';
import { placed, type SettingValues } from '../settings/setting';
import { FLOW_SOURCE } from './flow-source';
import { PULSE_SOURCE } from './pulse/entry';
import type { Source } from './source';
import { TEST_SOURCE } from './test-signal';

export const SOURCES = [PULSE_SOURCE, FLOW_SOURCE, TEST_SOURCE] as const;

export type SourceType = (typeof SOURCES)[number]['type'];
/** The source that a server has where none is chosen. */
export const DEFAULT_SOURCE: SourceType = 'pulse';
export const SOURCE_TYPES: readonly SourceType[] = SOURCES.map(({ type }) => type);

/** What the editor calls each source. */
export const SOURCE_TITLES: Readonly<Record<string, string>> = Object.fromEntries(
  SOURCES.map(({ type, title }) => [type, title]),
);

/** The settings of all sources together: no two have one of the same name. */
export type SourceSettings = Intersection<(typeof SOURCES)[number]['settings']>;
/** Each is shown while its own source is the chosen one. */
export const SOURCE_SETTINGS = Object.assign(
  {},
  ...SOURCES.map(({ type, settings }) => placed({ when: { source: [type] } }, settings)),
) as SourceSettings;

/** Makes the source of this type; of `values` it takes its own. */
export function createSource(type: SourceType, values: SettingValues<SourceSettings>, clock: Clock): Source {
  const entry = SOURCES.find((candidate) => candidate.type === type);
  if (!entry) throw new RangeError(`createSource: there is no source "${type}"`);
  return entry.create(values, clock);
}

/** What is all the members of a union at once. */
type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;
