/** Node-RED's editor in a real Chromium: nodes of the flow looked at, their dialogs opened, filled in and closed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { browserPath } from './browser';

/** What the editor holds of a node. */
export interface EditorNodeState {
  readonly valid: boolean;
  /** What is wrong with it, a text each. */
  readonly problems: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface Editor {
  readonly page: Page;
  node(id: string): Promise<EditorNodeState>;
  /** Opens the dialog of a node; of a config node where `configType` names its type. */
  open(id: string, configType?: string): Promise<void>;
  /** Closes the open dialog, as its button Done does. */
  done(configType?: string): Promise<void>;
  close(): Promise<void>;
}

/** Ends what hangs, and nothing that is slow. */
const HANG_MS = 120_000;

/** What the page's own script offers. */
interface EditorGlobals {
  RED: {
    nodes: { node(id: string): Record<string, unknown> & { _def: { defaults: object } } };
    editor: { edit(node: unknown): void; editConfig(name: string, type: string, id: string): void };
  };
}

/** Opens the editor of the Node-RED at `url`, with its dark theme where it has one and that is wanted. */
export async function openEditor(
  url: string,
  { dark = false, env }: { dark?: boolean; env?: Readonly<Record<string, string>> } = {},
): Promise<Editor> {
  const profile = await mkdtemp(join(tmpdir(), 'orgo-editor-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath(),
    // The library would mute a headless one: for sound it runs as one with a window does, but for the window.
    headless: env === undefined,
    colorScheme: dark ? 'dark' : 'light',
    viewport: { width: 1200, height: 1100 },
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...(env ? ['--headless=new'] : [])],
    env: { ...process.env, ...env },
  });
  browser.setDefaultTimeout(HANG_MS);
  const close = async (): Promise<void> => {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  };
  const page = await loadEditor(browser, url, dark).catch(async (error: unknown) => {
    // A browser that is still open would keep the test run from ending.
    await close();
    throw error;
  });

  return {
    page,
    node: (id) =>
      page.evaluate((wanted) => {
        const node = (globalThis as unknown as EditorGlobals).RED.nodes.node(wanted);
        const names = Object.keys(node._def.defaults);
        return {
          valid: node['valid'] === true,
          problems: (node['validationErrors'] ?? []) as string[],
          settings: Object.fromEntries(names.map((name) => [name, node[name]])),
        };
      }, id),
    async open(id, configType) {
      await page.evaluate(
        ([wanted, type]) => {
          const { RED } = globalThis as unknown as EditorGlobals;
          if (type === undefined) RED.editor.edit(RED.nodes.node(wanted));
          else RED.editor.editConfig('', type, wanted);
        },
        [id, configType] as const,
      );
      await page.locator(formOf(configType)).waitFor();
      // The tray slides in; a field that moves can't be clicked.
      await page.waitForFunction(
        "document.querySelectorAll('.red-ui-tray').length > 0 && !window.jQuery(':animated').length",
      );
      // Fields are filled after the rows are there; what is typed before that would be overwritten.
      const text = `${formOf(configType)} [data-setting] input:not([type="checkbox"])`;
      await page.waitForFunction(
        `[...document.querySelectorAll('${text}')].some(({ value }) => value !== '')`,
      );
    },
    async done(configType) {
      const button = configType === undefined ? '#node-dialog-ok' : '#node-config-dialog-ok';
      await page.locator(button).click();
      await page.locator(formOf(configType)).waitFor({ state: 'detached' });
    },
    close,
  };
}

/** The form of the open dialog. */
export function formOf(configType?: string): string {
  return configType === undefined ? '#dialog-form' : '#node-config-dialog-edit-form';
}

/** A page with the editor in it, its palette and flow drawn. */
async function loadEditor(browser: BrowserContext, url: string, dark: boolean): Promise<Page> {
  const page = await browser.newPage();
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(error.message));
  await page.goto(url);
  await page.locator('#red-ui-palette .red-ui-palette-node').first().waitFor();
  await page.locator('.red-ui-flow-node').first().waitFor({ state: 'attached' });
  if (dark) await page.evaluate("document.documentElement.classList.add('nr-theme-dark')");
  if (failures.length > 0) throw new Error(`the editor's scripts failed: ${failures.join('; ')}`);
  return page;
}
