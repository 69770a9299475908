/** What a setting is, as plain data: reading it, its row in the editor and its line in the docs all come from this. */

/** What any setting may say about its place in the editor's dialog. */
export interface Placement {
  /** Heading that it stands under; the node's words name it. */
  readonly section?: string;
  /** Shown only while each of these other settings has one of these values. */
  readonly when?: Readonly<Record<string, readonly (string | number | boolean)[]>>;
  /** Font Awesome's name of the icon in front of its label, such as `lock`. */
  readonly icon?: string;
  /** What it is called in English, where the node's catalog has no `label.<name>` for it. */
  readonly label?: string;
}

export interface NumberSetting<T extends number | undefined = number> extends Placement {
  readonly kind: 'number';
  /** Undefined where the setting may be left blank. */
  readonly fallback: T;
  /** Both included. */
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
  /** A number outside the bounds that is allowed too, such as 0 for "off". */
  readonly or?: number;
  readonly unit?: string;
  /** Offered while typing; others within the bounds will do. */
  readonly suggestions?: readonly number[];
}

export interface ChoiceSetting<T extends number | string = number | string> extends Placement {
  readonly kind: 'choice';
  readonly fallback: T;
  readonly values: readonly T[];
  /** What a value is called in English, where the node's catalog has no `choice.<name>.<value>` for it. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly unit?: string;
}

export interface BooleanSetting extends Placement {
  readonly kind: 'boolean';
  readonly fallback: boolean;
}

/** What a text may have to be besides text; `checks.ts` says how each is checked. */
export type TextCheck = 'listen-address' | 'url-path' | 'computer-id' | 'origins' | 'discord-id';

export interface TextSetting extends Placement {
  readonly kind: 'text';
  readonly fallback: string;
  readonly check?: TextCheck;
  /** It must be an address that begins with one of these, such as `wss:`. */
  readonly schemes?: readonly string[];
}

/** A password or key. Node-RED keeps it as a credential, and it is never shown. */
export interface SecretSetting extends Placement {
  readonly kind: 'secret';
  readonly fallback: '';
  /** The editor marks the node while it is missing. */
  readonly required?: boolean;
}

/** The id of a config node. */
export interface ConfigSetting extends Placement {
  readonly kind: 'config';
  readonly fallback: '';
  /** The config node's type, such as `tls-config`. */
  readonly type: string;
  readonly required: boolean;
}

export type Setting =
  | NumberSetting<number | undefined>
  | ChoiceSetting
  | BooleanSetting
  | TextSetting
  | SecretSetting
  | ConfigSetting;

/** A node's settings by name, in the order of its dialog. */
export type Settings = Readonly<Record<string, Setting>>;

/** The values that `S` describes. */
export type SettingValues<S extends Settings> = { readonly [K in keyof S]: ValueOf<S[K]> };
/** Some of the values that `S` describes; the rest take their defaults. */
export type SomeSettings<S extends Settings> = { readonly [K in keyof S]?: ValueOf<S[K]> | undefined };
type ValueOf<S extends Setting> = S extends { kind: 'choice'; values: readonly (infer T)[] }
  ? T
  : S extends SecretSetting | ConfigSetting
    ? string
    : S['fallback'];

type Bounds = Omit<NumberSetting, 'kind' | 'fallback' | 'integer'> & { readonly integer?: boolean };

/** A number within bounds, both included; text that holds one will do, since environment variables are text. */
export function number(fallback: number, bounds: Bounds): NumberSetting {
  return { kind: 'number', integer: false, ...bounds, fallback };
}

/** A number that may be left blank, which reads as undefined. */
export function optionalNumber(bounds: Bounds): NumberSetting<number | undefined> {
  return { kind: 'number', integer: false, ...bounds, fallback: undefined };
}

/** One of a few numbers or words; the word may be blank. A number may be given as text. */
export function oneOf<const T extends number | string>(
  fallback: T,
  values: readonly T[],
  more: Placement & Pick<ChoiceSetting, 'labels' | 'unit'> = {},
): ChoiceSetting<T> {
  return { kind: 'choice', ...more, fallback, values };
}

/** Yes or no; the text `true`, `false`, `1` or `0` will do. */
export function boolean(fallback: boolean, more: Placement = {}): BooleanSetting {
  return { kind: 'boolean', ...more, fallback };
}

/** A line of text, trimmed; a number will do. */
export function text(fallback = '', more: Placement & { readonly check?: TextCheck } = {}): TextSetting {
  return { kind: 'text', ...more, fallback };
}

/** An address that begins with one of `schemes`, such as `wss:`; blank takes the default. */
export function address(fallback: string, schemes: readonly string[], more: Placement = {}): TextSetting {
  return { kind: 'text', ...more, fallback, schemes };
}

/** A credential: as it is, since a password may begin or end with a space. */
export function secret(more: Placement & { readonly required?: boolean } = {}): SecretSetting {
  return { kind: 'secret', ...more, fallback: '' };
}

/** A config node of this type. */
export function configNode(
  type: string,
  more: Placement & { readonly required?: boolean } = {},
): ConfigSetting {
  return { kind: 'config', required: false, ...more, fallback: '', type };
}

/** `settings` with the same place for each of them: a section, or when they are shown. */
export function placed<const S extends Settings>(placement: Placement, settings: S): S {
  const entries = Object.entries(settings).map(([name, setting]) => [name, { ...setting, ...placement }]);
  return Object.fromEntries(entries) as S;
}

/** A node's secrets, as Node-RED wants its credentials described: in its runtime and in the editor. */
export function credentialsOf(settings: Settings): Record<string, { type: 'password'; required?: boolean }> {
  const credentials: Record<string, { type: 'password'; required?: boolean }> = {};
  for (const [name, setting] of Object.entries(settings)) {
    if (setting.kind !== 'secret') continue;
    credentials[name] = { type: 'password', ...(setting.required === true && { required: true }) };
  }
  return credentials;
}
