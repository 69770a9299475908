/** The tab Audio in real editors of both Node-REDs: it lists, measures and saves, for who may and by keys alone. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { parseWavHeader } from '../../src/containers/wav-header';
import { userDirectoryWithLink } from '../support/linked-package';
import { describeWith, needs, type SuiteTools } from '../support/needs';
import { MONITORED_TONE as TONE, MONITORS as FLOW } from '../support/monitored-flow';
import { startNodeRed, type NodeRed } from '../support/node-red';
import { openEditor, type Editor } from '../support/node-red-editor';
import { ROOT } from '../support/packed-package';
import { startPulse, type PulseDaemon } from '../support/pulse-daemon';
import { NEWER_RUNTIME, OWN_RUNTIME, type Runtime, type UserDirectory } from '../support/runtimes';
import { channelOf, measureTone } from '../support/tone';

const SCREENSHOTS = process.env['ORGO_SCREENSHOTS'];

for (const runtime of [OWN_RUNTIME, NEWER_RUNTIME]) {
  describeWith(
    needs('chromium', 'pulseaudio', ...runtime.needs),
    `the tab Audio in ${runtime.name}`,
    (tools) => inEditor(runtime, tools),
  );
}

function inEditor(runtime: Runtime, { test, before, after }: SuiteTools): void {
  let userDir: UserDirectory;
  let nodeRed: NodeRed;
  let pulse: PulseDaemon;
  let editor: Editor;
  let page: Page;

  before(async () => {
    userDir = await userDirectoryWithLink();
    pulse = await startPulse({ norewinds: true });
    nodeRed = await startNodeRed({ ...runtime, userDir: userDir.path });
    await nodeRed.deploy(FLOW);
    editor = await openEditor(nodeRed.url, { env: pulse.env });
    ({ page } = editor);
    await page.addScriptTag({ path: join(ROOT, 'node_modules', 'axe-core', 'axe.min.js') });
    await page.evaluate("RED.sidebar.show('orgo-audio')");
  });
  after(async () => {
    await editor.close();
    await nodeRed.stop();
    await pulse.stop();
    await userDir.remove();
  });

  const item = (name: string) => page.locator('.orgo-audio-item', { hasText: name });
  const press = (name: string, label: string): Promise<void> =>
    item(name).getByRole('button', { name: label, exact: true }).click();
  const level = async (name: string): Promise<number> =>
    Number(await item(name).getByRole('meter').getAttribute('aria-valuenow'));

  test('lists the monitors, and their levels move', async () => {
    await item('A tone').getByText('24 kHz mono s16le').waitFor();
    await page.waitForFunction("document.querySelector('[role=meter]').getAttribute('aria-valuenow') > -20");
    assert.ok(Math.abs((await level('A tone')) - -9) < 0.5, `${await level('A tone')} dBFS`);
    assert.equal(await level('Nothing'), -96);
    assert.equal(await page.getByRole('list', { name: 'Monitors' }).getByRole('listitem').count(), 2);
    if (SCREENSHOTS !== undefined) {
      await page.screenshot({
        path: join(SCREENSHOTS, `monitor-${runtime.name.replaceAll(/\W+/g, '-')}.png`),
      });
    }
  });

  test('axe finds nothing, light and dark, at 180 px', async () => {
    for (const dark of [false, true]) {
      await page.evaluate(`document.documentElement.classList.toggle('nr-theme-dark', ${dark})`);
      const violations = await page.evaluate(`axe.run('.orgo-audio-tab').then(({ violations }) =>
        violations.flatMap(({ id, nodes }) => nodes.map(({ html, any }) => id + ': ' + html + JSON.stringify(any.map((a) => a.message)))))`);
      assert.deepEqual(violations, [], dark ? 'dark' : 'light');
    }
    await page.evaluate("document.documentElement.classList.remove('nr-theme-dark')");
    await page.evaluate("document.querySelector('.orgo-audio-tab').style.width = '180px'");
    const wider = await page.evaluate(`[...document.querySelectorAll('.orgo-audio-tab *')].filter((each) =>
      each.getBoundingClientRect().right > document.querySelector('.orgo-audio-tab').getBoundingClientRect().right + 1).map((each) => each.className)`);
    assert.deepEqual(wider, []);
    await page.evaluate("document.querySelector('.orgo-audio-tab').style.width = ''");
  });

  test('saves the samples of the last seconds', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), press('A tone', 'Save')]);
    assert.match(download.suggestedFilename(), /^A tone \d{4}-.*\.wav$/);
    const wav = await readFile(await download.path());
    const header = parseWavHeader(wav);
    assert.deepEqual(header?.format, { encoding: 's16le', sampleRate: TONE.sampleRate, channels: 1 });
    const samples = channelOf(wav.subarray(header.dataStart), 1);
    assert.equal(samples.length, 2 * TONE.sampleRate);
    const { amplitude } = measureTone(samples, TONE);
    const energy = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    assert.ok(amplitude ** 2 / 2 / energy > 0.999_99, 'every sample of it');
    await press('Nothing', 'Save');
    await item('Nothing').getByText('nothing to save').waitFor();
  });

  test('is used by keys alone: reveal, play, volume, stop', async () => {
    const tone = item('A tone');
    await tone.getByRole('button', { name: 'A tone' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await tone.getByRole('button', { name: 'Stop', exact: true }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await tone.getByRole('slider').inputValue(), '99');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await tone.getByRole('button', { name: 'Play', exact: true }).waitFor();
  });

  test('goes on by itself when its connection was lost, and shows a hundred monitors', async () => {
    const many = Array.from({ length: 98 }, (_, i) => ({
      ...{ id: `more-${i}`, type: 'orgo-audio-monitor', z: 'tab', name: `More ${i}` },
      ...{ x: 320, y: 220 + 60 * i, wires: [[]] },
    }));
    await press('A tone', 'Play');
    await nodeRed.deploy([...FLOW, ...many]);
    await item('More 97').waitFor({ state: 'attached' });
    assert.equal(await page.locator('.orgo-audio-item').count(), 100);
    await page.waitForFunction("document.querySelector('[role=meter]').getAttribute('aria-valuenow') > -20");
    await item('A tone').getByRole('button', { name: 'Stop', exact: true }).click();
  });

  test('plays on when Node-RED was restarted', async () => {
    // What arrives in the audio worklet.
    await page.evaluate(`{
      const { postMessage } = MessagePort.prototype;
      globalThis.arrived = 0;
      MessagePort.prototype.postMessage = function (message, ...rest) {
        if (message?.samples) globalThis.arrived++;
        return postMessage.call(this, message, ...rest);
      };
    }`);
    await press('A tone', 'Play');
    await page.waitForFunction('arrived > 10');
    const port = Number(new URL(nodeRed.url).port);
    await nodeRed.stop();
    await page.locator('.orgo-audio-notice', { hasText: 'does not answer' }).waitFor();
    assert.equal(await level('A tone'), -96);
    await page.evaluate('arrived = 0');
    nodeRed = await startNodeRed({ ...runtime, userDir: userDir.path, port });
    await page.waitForFunction("document.querySelector('[role=meter]').getAttribute('aria-valuenow') > -20");
    await page.waitForFunction('arrived > 10');
    await press('A tone', 'Stop');
  });

  test('says why it can’t play in a browser without AudioWorklet, and shows and saves all the same', async () => {
    await page.evaluate('delete globalThis.AudioWorkletNode, delete globalThis.AudioDecoder');
    await press('A tone', 'Play');
    await item('A tone').getByText('it has no AudioWorklet').waitFor();
    assert.ok((await level('A tone')) > -20);
    const [download] = await Promise.all([page.waitForEvent('download'), press('A tone', 'Save')]);
    assert.match(download.suggestedFilename(), /\.wav$/);
  });
}

describeWith(needs('chromium'), 'the tab Audio for who may not see monitors', ({ test, before, after }) => {
  let userDir: UserDirectory;
  let nodeRed: NodeRed;
  before(async () => {
    userDir = await userDirectoryWithLink();
    // All that the editor needs, and not orgo-audio-monitor.read, which `*.read` would hold.
    const rooms = ['context', 'debug', 'flows', 'library', 'nodes', 'plugins', 'settings', 'status'];
    const permissions = [...rooms.map((room) => `${room}.read`), 'flows.write'];
    const adminAuth = { type: 'credentials', users: [], default: { permissions } };
    nodeRed = await startNodeRed({ ...OWN_RUNTIME, userDir: userDir.path, settings: { adminAuth } });
    await nodeRed.deploy(FLOW);
  });
  after(async () => {
    await nodeRed.stop();
    await userDir.remove();
  });

  test('lists nothing, and says which permission is missing; the routes answer 401', async () => {
    for (const path of ['ticket', 'history/monitor']) {
      assert.equal((await fetch(`${nodeRed.url}/orgo-audio-monitor/${path}`)).status, 401);
    }
    const editor = await openEditor(nodeRed.url);
    try {
      await editor.page.evaluate("RED.sidebar.show('orgo-audio')");
      await editor.page.getByText('lacks the permission orgo-audio-monitor.read').waitFor();
      assert.equal(await editor.page.locator('.orgo-audio-item').count(), 0);
    } finally {
      await editor.close();
    }
  });
});
