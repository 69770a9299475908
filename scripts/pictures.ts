/**
 * Takes the pictures of README and docs of the real thing, into docs/pictures: a Node-RED with this build, a sound server, a
 * Chromium. Needs pulseaudio and Chromium. `npm run pictures [name …]`
 */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { browserPath } from '../test/support/browser';
import { fillIn, importExample, withFlowEnv, type Flow } from '../test/support/examples';
import { userDirectoryWithLink } from '../test/support/linked-package';
import { freePort, startNodeRed, type NodeRed } from '../test/support/node-red';
import { openEditor, type Editor } from '../test/support/node-red-editor';
import { ROOT } from '../test/support/packed-package';
import { startPulse } from '../test/support/pulse-daemon';
import { OWN_RUNTIME } from '../test/support/runtimes';

const FOLDER = join(ROOT, 'docs', 'pictures');
const PASSWORD = 'a-password-of-pictures';
/** Of the spectrograms. */
const SECONDS_SHOWN = 11;
const PADDING = 16;
const VIEWPORT = { width: 1200, height: 1100 };
/** Ids as Discord's are, of nobody. */
const DISCORD = { guildId: '175928847299117063', channelId: '175928847299117064' };

/** A part of the page. */
interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

async function main(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const sink = 'module-null-sink sink_name=speakers norewinds=1 sink_properties=device.description=Speakers';
  const pulse = await startPulse({ sinks: [], args: ['-L', sink] });
  const userDir = await userDirectoryWithLink();
  const nodeRed = await startNodeRed({ ...OWN_RUNTIME, userDir: userDir.path, env: pulse.env });
  const player = pulse.play({ hz: 440, seconds: 600, amplitude: 0.1, rate: 8000, channels: 1 });
  try {
    await ofTheEditor(nodeRed, pulse.env);
  } finally {
    await player.stop();
    await nodeRed.stop();
    await userDir.remove();
    await pulse.stop();
  }
}

async function ofTheEditor(nodeRed: NodeRed, env: Readonly<Record<string, string>>): Promise<void> {
  const port = await freePort();
  await nodeRed.deploy(await helloFlow(port));
  if (isWanted('tab', 'flow', 'palette', 'server-dialog')) {
    await inEditor(nodeRed, env, (editor) => hearing(editor, nodeRed));
  }
  if (isWanted('listen', 'listen-dark')) await listening(port, env);
  await nodeRed.deploy(await discordFlow());
  if (isWanted('discord-flow', 'discord-dialog')) await inEditor(nodeRed, env, speaking);
}

async function inEditor(
  nodeRed: NodeRed,
  env: Readonly<Record<string, string>>,
  look: (editor: Editor) => Promise<void>,
): Promise<void> {
  const editor = await openEditor(nodeRed.url, { env });
  try {
    await look(editor);
  } finally {
    await editor.close();
  }
}

/** The flow of `npm start`, with the built-in test signal. */
async function helloFlow(port: number): Promise<Flow> {
  const example = await importExample('hear-this-computer');
  const served = fillIn(example, 'orgo-audio-server', { source: 'test', port });
  const heard = fillIn(served, 'orgo-computer', {
    audioUrl: `ws://127.0.0.1:${port}/audio`,
    credentials: { password: PASSWORD },
  });
  return withFlowEnv(heard, { ORGO_AUDIO_PASSWORD: PASSWORD });
}

/** Without a token, nothing connects to Discord. */
async function discordFlow(): Promise<Flow> {
  return fillIn(await importExample('discord/computer-to-channel'), 'orgo-discord-voice', DISCORD);
}

async function hearing(editor: Editor, nodeRed: NodeRed): Promise<void> {
  const { page } = editor;
  const monitor = page.locator('.orgo-audio-item');
  await page.evaluate("RED.sidebar.show('orgo-audio')");
  await monitor.getByRole('button', { name: 'Play', exact: true }).click();
  await page.waitForFunction("document.querySelector('[role=meter]').getAttribute('aria-valuenow') > -50");
  await delay(SECONDS_SHOWN * 1000);
  const sidebar = await boxOf(page, '#red-ui-sidebar');
  const item = await boxOf(page, '.orgo-audio-item');
  await take(page, 'tab', { ...sidebar, height: item.y + item.height - sidebar.y });
  await monitor.getByRole('button', { name: 'Stop', exact: true }).click();
  await takeFlow(page, 'flow');
  await takePalette(page);
  const flows = (await nodeRed.get('/flows')) as Flow;
  await editor.open(flows.find(({ type }) => type === 'orgo-audio-server')?.id ?? '');
  await page.locator('#node-input-source').selectOption('pulse');
  const playing = page.locator('#orgo-audio-server-devices option', { hasText: 'playing now' });
  await playing.first().waitFor({ state: 'attached' });
  await page.locator('#orgo-audio-server-devices').selectOption('speakers');
  await page.locator('#node-input-orgo-test').click();
  await page.getByText('speakers is there').waitFor();
  await takeDialog(page, 'server-dialog', '#node-input-orgo-test-steps');
  await editor.done();
}

/** The whole flow, however wide it is. */
async function takeFlow(page: Page, name: string): Promise<void> {
  await page.setViewportSize({ width: 1600, height: 1100 });
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  await take(page, name, await flowBox(page));
  await page.setViewportSize(VIEWPORT);
}

/** The open dialog, down to `last`, however high it is. */
async function takeDialog(page: Page, name: string, last: string): Promise<void> {
  await page.setViewportSize({ ...VIEWPORT, height: 1500 });
  const dialog = await boxOf(page, '.red-ui-tray');
  const end = await boxOf(page, last);
  await take(page, name, { ...dialog, height: end.y + end.height + PADDING - dialog.y });
  await page.setViewportSize(VIEWPORT);
}

async function takePalette(page: Page): Promise<void> {
  const category = page.locator('#red-ui-palette-container-audio, #red-ui-palette-audio').first();
  await category.scrollIntoViewIfNeeded();
  const box = await category.boundingBox();
  if (box) await take(page, 'palette', box);
}

/** The page, as a phone shows it, light and dark. */
async function listening(port: number, env: Readonly<Record<string, string>>): Promise<void> {
  const browser = await chromium.launch({
    executablePath: browserPath(),
    headless: false,
    args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run'],
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ colorScheme, viewport: { width: 400, height: 660 } });
      await page.goto(`http://127.0.0.1:${port}/listen`);
      await page.locator('#password').fill(PASSWORD);
      await page.locator('#listen').click();
      await page.locator('#state').filter({ hasText: 'Playing' }).waitFor();
      await delay(1.5 * SECONDS_SHOWN * 1000);
      // Between two words the level is none.
      await page
        .locator('#level-text')
        .filter({ hasText: /^-[12]\d dBFS/ })
        .waitFor();
      const { y, height } = await boxOf(page, '#spectrogram');
      const clip = { x: 0, y: 0, width: 400, height: y + height + PADDING };
      await take(page, colorScheme === 'light' ? 'listen' : 'listen-dark', clip);
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

async function speaking(editor: Editor): Promise<void> {
  const { page } = editor;
  // Red without a token, and nothing that a reader should see first.
  await page.evaluate("RED.actions.invoke('core:toggle-status')");
  await takeFlow(page, 'discord-flow');
  await editor.open(
    await page.evaluate<string>("RED.nodes.filterNodes({ type: 'orgo-discord-voice' })[0].id"),
  );
  await takeDialog(page, 'discord-dialog', '#dialog-form .form-row:visible >> nth=-1');
  await editor.done();
}

async function boxOf(page: Page, selector: string): Promise<Box> {
  const box = await page.locator(selector).first().boundingBox();
  if (!box) throw new Error(`nothing to see of ${selector}`);
  return box;
}

/** What the nodes of the flow, their status and their wires take up. */
async function flowBox(page: Page): Promise<Box> {
  const [left, top, right, bottom] = await page.evaluate<[number, number, number, number]>(`(() => {
    const boxes = [...document.querySelectorAll('.red-ui-flow-node-group, .red-ui-flow-link-path')].map((each) => each.getBoundingClientRect()).filter(({ width }) => width > 0);
    return [Math.min(...boxes.map((b) => b.left)), Math.min(...boxes.map((b) => b.top)), Math.max(...boxes.map((b) => b.right)), Math.max(...boxes.map((b) => b.bottom))];
  })()`);
  const chart = await boxOf(page, '#red-ui-workspace-chart');
  const [x, y] = [Math.max(chart.x, left - PADDING), Math.max(chart.y, top - PADDING)];
  return { x, y, width: right + PADDING - x, height: bottom + PADDING - y };
}

const wanted = process.argv.slice(2);

function isWanted(...names: readonly string[]): boolean {
  return wanted.length === 0 || names.some((name) => wanted.includes(name));
}

async function take(page: Page, name: string, clip?: Box): Promise<void> {
  if (!isWanted(name)) return;
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path, ...(clip && { clip }) });
  console.log(`${path}: ${Math.round((await stat(path)).size / 1000)} KB`);
}

void main();
