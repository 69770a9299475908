/** The entry of resources/orgo-editor.js, which each node's html loads: hands `orgoEditor` to the html's own script. */
import type { Settings } from '../src/settings/setting';
import { createEditor } from './index';
import type { JQuery } from './node-red';

/** The settings of all nodes by type: the build puts them in. */
declare const SCHEMAS: Readonly<Record<string, Settings>>;

interface Browser {
  readonly $: JQuery;
  readonly RED: { _(key: string): string };
  orgoEditor?: ReturnType<typeof createEditor>;
}

const browser = globalThis as unknown as Browser;
browser.orgoEditor = createEditor(SCHEMAS, { $: browser.$, translate: (key) => browser.RED._(key) });
