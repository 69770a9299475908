/** The entry of resources/orgo-editor.js, which each node's html loads: hands `orgoEditor` to the html's own script. */
import type { Settings } from '../src/settings/setting';
import { createEditor, type MakeOwn } from './index';
import type { JQuery, Place } from './node-red';

interface Browser {
  readonly $: JQuery;
  readonly RED: { _(key: string): string; readonly settings: { readonly httpNodeRoot?: string | false } };
  readonly location: Omit<Place, 'nodeRoot'>;
  orgoEditor?: ReturnType<typeof createEditor>;
}

/** The build calls this with the settings of all nodes, and the dialogs of those that have one of their own, by type. */
export function installEditor(
  schemas: Readonly<Record<string, Settings>>,
  dialogs: Readonly<Record<string, MakeOwn>>,
): void {
  const browser = globalThis as unknown as Browser;
  const { $, RED, location } = browser;
  const place = (): Place => {
    const { httpNodeRoot = '/' } = RED.settings;
    const { protocol, host, hostname } = location;
    return { protocol, host, hostname, nodeRoot: httpNodeRoot === false ? undefined : httpNodeRoot };
  };
  browser.orgoEditor = createEditor(schemas, { $, translate: (key) => RED._(key), place }, dialogs);
}
