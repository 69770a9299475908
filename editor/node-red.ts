/** The part of Node-RED's editor, and of the jQuery that it brings along, that is used here: typed once. */

/** A jQuery object. */
export interface Field {
  readonly length: number;
  val(): unknown;
  val(value: unknown): Field;
  text(text: string): Field;
  html(html: string): Field;
  attr(name: string, value: string): Field;
  is(selector: string): boolean;
  prop(name: string, value: boolean): Field;
  find(selector: string): Field;
  append(child: Field): Field;
  empty(): Field;
  replaceWith(other: Field): Field;
  toggle(shown: boolean): Field;
  on(events: string, listener: () => void): Field;
  trigger(event: string): Field;
  get(): readonly { readonly value?: string; scrollIntoView(options: { block: 'nearest' }): void }[];
}

export interface JQuery {
  (selector: string): Field;
  /** Asks Node-RED with the right of who is logged in. Rejects with a {@link Refusal}. */
  ajax(options: object): PromiseLike<unknown>;
}

/** An HTTP request that failed; status 0 where nothing answered. */
export interface Refusal {
  readonly status?: number;
}

/** Where the editor is, and what it is an editor of. */
export interface Place {
  /** `location.protocol`, `http:` or `https:`. */
  readonly protocol: string;
  /** `location.host`, with the port where it has one. */
  readonly host: string;
  /** `location.hostname` */
  readonly hostname: string;
  /** What comes before every path of HTTP nodes; undefined where those are off. */
  readonly nodeRoot: string | undefined;
}

/** A node as the editor holds it: its settings are its properties. */
export interface EditorNode {
  name?: string;
  /** Translates a key of the node's own catalog. */
  _(key: string): string;
  [setting: string]: unknown;
}

/** What `RED.nodes.registerType` keeps of a setting. */
export interface Default {
  readonly value: unknown;
  readonly type?: string;
  readonly required?: boolean;
  /** True, or what is wrong. Node-RED takes a text for that only from a function of two parameters. */
  validate?(this: EditorNode, value: unknown, options?: unknown): true | string;
}

/** The text under a key of the node's catalog; undefined where there is none. */
export type Words = (key: string) => string | undefined;
