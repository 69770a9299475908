/** Reads what a service answered, which may be anything: each field is what it should be, or undefined. */

export type Fields = Readonly<Record<string, unknown>>;

/** The text under `name`. */
export function textAt(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}

/** The finite number under `name`. */
export function numberAt(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The object under `name`; without fields where there is none. */
export function objectAt(fields: Fields, name: string): Fields {
  return asFields(fields[name]) ?? {};
}

/** The objects in the list under `name`; empty where there is none. */
export function objectsAt(fields: Fields, name: string): Fields[] {
  const value = fields[name];
  if (!Array.isArray(value)) return [];
  return value.map(asFields).filter((entry) => entry !== undefined);
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** Seconds under `name`, as ms. */
export function secondsAt(fields: Fields, name: string): number | undefined {
  const seconds = numberAt(fields, name);
  return seconds === undefined ? undefined : seconds * 1000;
}
