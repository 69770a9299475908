/** Reads a node's saved settings: what is missing takes its default, what is out of range is refused. */
import { OrgoError } from '../../src/audio/errors';

/** How one setting is read. Made by {@link number}, {@link oneOf}, {@link boolean}, {@link text}, {@link secret}. */
export interface Setting<T> {
  readonly fallback: T;
  /** What is allowed, for the error: `a number from 1 to 64`. */
  readonly allowed: string;
  /** The value, or undefined where it is not allowed. */
  read(value: unknown): T | undefined;
  /** Never shown in an error. */
  readonly secret?: boolean;
  /** Whether `${NAME}` inside a longer text is an error too. */
  readonly refusesEmbeddedEnv?: boolean;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;
/** The values that `S` describes. */
export type SettingValues<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** A property that is exactly one of these was an environment variable that is not set: else Node-RED replaces it. */
const UNSET_ENV = /^\$(?:\{([^{}\s]+)\}|\(([^()\s]+)\))$/;
const EMBEDDED_ENV = /\$\{[^{}\s]+\}/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const SHOWN_LENGTH = 60;

/** A number within bounds, both included; text that holds one will do, since environment variables are text. */
export function number(
  fallback: number,
  bounds: { min: number; max: number; integer?: boolean },
): Setting<number> {
  const { min, max, integer = false } = bounds;
  return {
    fallback,
    allowed: `a ${integer ? 'whole ' : ''}number from ${min} to ${max}`,
    read(value) {
      const found = toNumber(value);
      if (found === undefined || found < min || found > max) return undefined;
      return integer && !Number.isInteger(found) ? undefined : found;
    },
  };
}

/** One of a few numbers or words. A number may be given as text. */
export function oneOf<const T extends number | string>(fallback: T, values: readonly T[]): Setting<T> {
  return {
    fallback,
    allowed: `one of ${values.map((value) => (value === '' ? 'blank' : String(value))).join(', ')}`,
    read(value) {
      const asNumber = toNumber(value);
      return values.find((allowed) => allowed === value || allowed === asNumber);
    },
  };
}

/** Yes or no; the text `true`, `false`, `1` or `0` will do. */
export function boolean(fallback: boolean): Setting<boolean> {
  return {
    fallback,
    allowed: 'true or false',
    read(value) {
      if (typeof value === 'boolean') return value;
      const word = String(value).trim().toLowerCase();
      if (word === 'true' || word === '1') return true;
      return word === 'false' || word === '0' ? false : undefined;
    },
  };
}

/** A line of text, trimmed; a number will do. */
export function text(fallback = ''): Setting<string> {
  return { fallback, allowed: 'text', read: toText, refusesEmbeddedEnv: true };
}

/** A credential: as it is, since a password may begin or end with a space; never shown in an error. */
export function secret(): Setting<string> {
  return {
    fallback: '',
    allowed: 'text',
    secret: true,
    read: (value) =>
      typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined,
  };
}

/**
 * Reads `config` by `settings`. A setting that is missing or null takes its default.
 * @throws OrgoError `ORGO_BAD_SETTING` naming each wrong setting, its value and what is allowed
 */
export function parseSettings<S extends Settings>(
  settings: S,
  config: Readonly<Record<string, unknown>> | undefined,
): SettingValues<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const given = config?.[name];
    if (given === undefined || given === null) {
      values[name] = setting.fallback;
      continue;
    }
    const envProblem = envProblemOf(setting, given);
    const value = envProblem === undefined ? setting.read(given) : undefined;
    if (value === undefined) {
      const problem = envProblem ?? `is ${shown(setting, given)}: it must be ${setting.allowed}`;
      problems.push(`${name} ${problem}`);
    } else {
      values[name] = value;
    }
  }
  if (problems.length > 0) throw new OrgoError('ORGO_BAD_SETTING', problems.join('; '));
  return values as SettingValues<S>;
}

function envProblemOf(setting: Setting<unknown>, given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined;
  const unset = UNSET_ENV.exec(given.trim());
  if (unset) {
    const variable = unset[1] ?? unset[2] ?? '';
    return `is ${given.trim()}, but the environment variable ${variable} is not set: set it to ${setting.allowed}`;
  }
  if (setting.refusesEmbeddedEnv === true && EMBEDDED_ENV.test(given)) {
    return `is ${shown(setting, given)}, but Node-RED replaces \${NAME} only where it is the whole setting`;
  }
  return undefined;
}

function shown(setting: Setting<unknown>, given: unknown): string {
  if (setting.secret === true) return `of type ${typeof given}`;
  if (given === '') return 'empty';
  const whole = JSON.stringify(given);
  return whole.length > SHOWN_LENGTH ? `${whole.slice(0, SHOWN_LENGTH)}…` : whole;
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !DECIMAL.test(value.trim())) return undefined;
  const found = Number(value);
  return Number.isFinite(found) ? found : undefined;
}

function toText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value.trim() : undefined;
}
