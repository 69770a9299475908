/** Reads settings: what is missing takes its default, what is not allowed is refused. Browsers run it too. */
import { OrgoError } from '../audio/errors';
import { CHECKS, isAddress } from './checks';
import type { Setting, Settings, SettingValues } from './setting';

/** What a setting was read as, or what is wrong with it: `is 0: it must be …`. */
export type Reading = { readonly value: unknown } | { readonly problem: string };

/** Node-RED replaces a property that is exactly one of these, unless the environment variable is not set. */
const WHOLE_ENV = /^\$(?:\{([^{}\s]+)\}|\(([^()\s]+)\))$/;
const EMBEDDED_ENV = /\$\{[^{}\s]+\}/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const SHOWN_LENGTH = 60;

/** The environment variable that `given` as a whole stands for. */
export function environmentVariableOf(given: unknown): string | undefined {
  const found = typeof given === 'string' ? WHOLE_ENV.exec(given.trim()) : null;
  return found ? (found[1] ?? found[2]) : undefined;
}

/** What `setting` wants, after "it must": `be a number from 1 to 64`. */
export function demandOf(setting: Setting): string {
  const check = setting.kind === 'text' ? setting.check : undefined;
  return check ? CHECKS[check].must : `be ${allowedBy(setting)}`;
}

/** The values that `setting` allows: `a number from 1 to 64`. */
export function allowedBy(setting: Setting): string {
  switch (setting.kind) {
    case 'number': {
      const { min, max, integer, or, fallback } = setting;
      const blank = fallback === undefined ? 'blank, or ' : '';
      const other = or === undefined ? '' : `${or}, or `;
      return `${blank}${other}a ${integer ? 'whole ' : ''}number from ${min} to ${max}`;
    }
    case 'choice':
      return `one of ${setting.values.map((value) => (value === '' ? 'blank' : String(value))).join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'text': {
      if (!setting.schemes) return 'text';
      return `blank, or an address that begins with ${setting.schemes.map((scheme) => `${scheme}//`).join(' or ')}`;
    }
    case 'secret':
      return 'text';
    case 'config':
      return `a ${setting.type} node`;
  }
}

/** Reads one setting as a flow has it: undefined and null are its default. */
export function readSetting(setting: Setting, given: unknown): Reading {
  if (given === undefined || given === null) return { value: setting.fallback };
  const problem = typeof given === 'string' ? environmentProblem(setting, given) : undefined;
  if (problem !== undefined) return { problem };
  // A field that was left blank is saved as an empty text.
  if (isBlank(given) && setting.kind === 'number' && setting.fallback === undefined) {
    return { value: undefined };
  }
  const value = valueOf(setting, given);
  return value === undefined
    ? { problem: `is ${shown(setting, given)}: it must ${demandOf(setting)}` }
    : { value };
}

/**
 * Reads a node's settings, its secrets from its credentials.
 * @throws OrgoError `ORGO_BAD_SETTING` naming each wrong setting, its value and what is allowed
 */
export function parseSettings<S extends Settings>(
  settings: S,
  config: Readonly<Record<string, unknown>> | undefined,
  credentials = config,
): SettingValues<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const reading = readSetting(setting, (setting.kind === 'secret' ? credentials : config)?.[name]);
    if ('problem' in reading) problems.push(`${name} ${reading.problem}`);
    else values[name] = reading.value;
  }
  if (problems.length > 0) throw new OrgoError('ORGO_BAD_SETTING', problems.join('; '));
  return values as SettingValues<S>;
}

/** The value; undefined where it is not allowed. */
function valueOf(setting: Setting, given: unknown): unknown {
  switch (setting.kind) {
    case 'number': {
      const { min, max, integer, or } = setting;
      const found = toNumber(given);
      if (found === undefined) return undefined;
      const within = found >= min && found <= max && (!integer || Number.isInteger(found));
      return within || found === or ? found : undefined;
    }
    case 'choice': {
      const asNumber = toNumber(given);
      return setting.values.find((allowed) => allowed === given || allowed === asNumber);
    }
    case 'boolean': {
      const word = String(given).trim().toLowerCase();
      if (word === 'true' || word === '1') return true;
      return word === 'false' || word === '0' ? false : undefined;
    }
    case 'text': {
      const found = toText(given)?.trim();
      if (found === undefined) return undefined;
      const { check, schemes, fallback } = setting;
      if (check && !CHECKS[check].accepts(found)) return undefined;
      if (!schemes) return found;
      if (found === '') return fallback;
      return isAddress(found, schemes) ? found : undefined;
    }
    case 'secret':
      return toText(given);
    case 'config':
      return toText(given)?.trim();
  }
}

function environmentProblem(setting: Setting, given: string): string | undefined {
  const variable = environmentVariableOf(given);
  if (variable !== undefined) {
    return `is ${given.trim()}, but the environment variable ${variable} is not set: set it to ${allowedBy(setting)}`;
  }
  return setting.kind === 'text' && EMBEDDED_ENV.test(given)
    ? `is ${shown(setting, given)}, but Node-RED replaces \${NAME} only where it is the whole setting`
    : undefined;
}

function isBlank(given: unknown): boolean {
  return typeof given === 'string' && given.trim() === '';
}

function shown(setting: Setting, given: unknown): string {
  if (setting.kind === 'secret') return `of type ${typeof given}`;
  if (given === '') return 'empty';
  // The query of an address may hold a password that was pasted along.
  const safe =
    setting.kind === 'text' && setting.schemes && typeof given === 'string'
      ? (given.split(/[?#]/)[0] ?? '')
      : given;
  const whole = typeof safe === 'number' ? String(safe) : JSON.stringify(safe);
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
  return typeof value === 'string' ? value : undefined;
}
