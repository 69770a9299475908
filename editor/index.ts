/** What each node's html calls: all of a node's definition that follows from its settings and its `dialog.ts`. */
import { credentialsOf, type Settings } from '../src/settings/setting';
import { defaultsOf, type OwnCheck } from './definition';
import { Dialog, type CurrentValue } from './dialog';
import type { Default, EditorNode, Field, JQuery, Place, Words } from './node-red';
import { escapeHtml, rowsOf } from './rows';
import { askRunTime } from './run-time';
import { TestButton } from './test-button';

/** Where Node-RED finds this package's words; a test compares it with package.json. */
export const PACKAGE = 'node-red-contrib-orgo-audio';

/** A remark below the row of a setting, its text in the catalog under `remark.<name>`. */
export interface Remark {
  readonly after: string;
  /** Whether it is shown, given what the fields hold now. */
  readonly shown: (value: CurrentValue) => boolean;
}

/** What a node's `dialog.ts` adds to what follows from its settings. */
export interface Own {
  /** What the node is called in a flow where it has no name; its type. */
  readonly label?: (this: EditorNode) => unknown;
  readonly remarks?: Readonly<Record<string, Remark>>;
  readonly checks?: Readonly<Record<string, OwnCheck>>;
  /** Given the usual row of a setting and the node's words, what stands there instead. */
  readonly rows?: Readonly<Record<string, (row: string, words: Words) => string>>;
  /** Called last when the dialog opens. */
  readonly prepare?: (this: EditorNode, field: (name: string) => Field, ask: Ask) => void;
  /** Called when the dialog opens and whenever one of its fields changes. */
  readonly refresh?: (value: CurrentValue) => void;
  /** The admin route that tests what the fields hold: the dialog then ends with a button for it. */
  readonly test?: string;
}

/**
 * Asks the run time at an admin route, and sends along what these fields hold.
 * @param onLine called with each line of the answer as it comes
 * @returns what went wrong, in words; undefined where nothing did
 */
export type Ask = (
  path: string,
  names: readonly string[],
  onLine: (line: Readonly<Record<string, unknown>>) => void,
) => Promise<string | undefined>;

/** What of `registerType`'s definition comes from the settings. */
export interface Definition {
  readonly defaults: Record<string, Default>;
  readonly credentials: Record<string, { type: 'password'; required?: boolean }>;
  label(this: EditorNode): string;
  labelStyle(this: EditorNode): string;
  inputLabels(this: EditorNode): string;
  oneditprepare(this: EditorNode): void;
  oneditsave(this: EditorNode): void;
}

/** The parts of the browser that are used; tests pass their own. */
export interface Browser {
  readonly $: JQuery;
  /** `RED._` */
  readonly translate: (key: string) => string;
  readonly place: () => Place;
}

/** What `nodes/<type>/dialog.ts` exports as `dialog`, for a node whose dialog is more than its settings. */
export type MakeOwn = ($: JQuery, place: () => Place) => Own;

/** Makes what the nodes' html files call as `orgoEditor`. */
export function createEditor(
  schemas: Readonly<Record<string, Settings>>,
  { $, translate, place }: Browser,
  dialogs: Readonly<Record<string, MakeOwn>> = {},
) {
  function wordsOf(type: string): Words {
    return (key) => {
      const full = `${type}.${key}`;
      const found = translate(`${PACKAGE}/${type}:${full}`);
      return found === full || found.endsWith(`:${full}`) ? undefined : found;
    };
  }

  function define(type: string, prefix: string): Definition {
    const own = dialogs[type]?.($, place) ?? {};
    const settings = schemas[type];
    if (!settings) throw new Error(`There are no settings of ${type}: build the package again`);
    const words = wordsOf(type);
    const dialog = new Dialog({ $, settings, prefix });
    const value: CurrentValue = (name) => dialog.value(name);
    const remarks = Object.entries(own.remarks ?? {});
    const withRemarks = (name: string, row: string): string =>
      remarks
        .filter(([, { after }]) => after === name)
        .reduce(
          (rows, [remark]) => rows + remarkRow(prefix, remark, words),
          own.rows?.[name]?.(row, words) ?? row,
        );
    const rows = Object.fromEntries(
      Object.keys(settings).map((name) => [name, (row: string) => withRemarks(name, row)]),
    );
    const refresh = (): void => {
      dialog.showRows();
      for (const [name, { shown }] of remarks) $(`[data-remark="${prefix}${name}"]`).toggle(shown(value));
      own.refresh?.(value);
    };
    const test = own.test === undefined ? undefined : new TestButton($, { prefix, words });
    // Node-RED reads a dialog from this element whenever it opens one.
    $(`script[data-template-name="${type}"]`).html(
      rowsOf({ settings, prefix, words, rows }) + (test?.html() ?? ''),
    );
    return {
      defaults: defaultsOf(settings, own.checks),
      credentials: credentialsOf(settings),
      label() {
        return [this.name, own.label?.call(this)].find(isText) ?? type;
      },
      labelStyle() {
        return (this.name ?? '') ? 'node_label_italic' : '';
      },
      inputLabels() {
        return this._(`${type}.input`);
      },
      oneditprepare() {
        dialog.fill(this);
        for (const name of Object.keys(settings)) dialog.field(name).on('input change', refresh);
        const ask: Ask = (path, names, onLine) =>
          askRunTime({ $, words }, path, { id: this['id'], fields: dialog.entered(names) }, onLine);
        test?.prepare((onLine) => ask(own.test ?? '', Object.keys(settings), onLine));
        own.prepare?.call(this, (name) => dialog.field(name), ask);
        refresh();
      },
      oneditsave() {
        dialog.save(this);
      },
    };
  }

  return {
    /** For a node of the palette. */
    node: (type: string) => define(type, 'node-input-'),
    /** For a config node. */
    configNode: (type: string) => define(type, 'node-config-input-'),
  };
}

function remarkRow(prefix: string, name: string, words: Words): string {
  const text = escapeHtml(words(`remark.${name}`) ?? name);
  return `\n<div class="form-tips" data-remark="${prefix}${name}" style="margin-bottom: 12px">${text}</div>`;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
