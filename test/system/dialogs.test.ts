/** The dialogs of all nodes in real editors of both Node-REDs, light and dark: they open, save, and axe finds no fault. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NODE_TYPES } from '../../scripts/lib/node-settings';
import { userDirectoryWithLink } from '../support/linked-package';
import { describeWith, needs, type SuiteTools } from '../support/needs';
import { freePort, startNodeRed, type FlowNode, type NodeRed } from '../support/node-red';
import { formOf, openEditor, type Editor } from '../support/node-red-editor';
import { ROOT } from '../support/packed-package';
import { NEWER_RUNTIME, OWN_RUNTIME, type Runtime, type UserDirectory } from '../support/runtimes';

const CONFIG_TYPES = ['orgo-computer'];
/** Screenshots are put into this folder, for who wants to look at them. */
const SCREENSHOTS = process.env['ORGO_SCREENSHOTS'];
/** What a setting that was never made may be reported for: there is no default to take. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'orgo-computer': ['computerId'],
  'orgo-audio-in': ['computer'],
  'orgo-discord-voice': ['guildId', 'channelId'],
};

/** Fields that Node-RED itself puts into every form, to keep browsers from filling in passwords. */
const NODE_RED_OWN = /id="red-ui-trap-/;

/** One node of each type, with nothing set at all. */
const BARE: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'bare' },
  ...NODE_TYPES.map((type, index) =>
    CONFIG_TYPES.includes(type)
      ? { id: `bare-${type}`, type }
      : { id: `bare-${type}`, type, z: 'tab', x: 200, y: 80 + 60 * index, wires: [] },
  ),
];

for (const runtime of [OWN_RUNTIME, NEWER_RUNTIME]) {
  const themes = runtime === NEWER_RUNTIME ? ['light', 'dark'] : ['light'];
  for (const theme of themes) {
    describeWith(needs('chromium', ...runtime.needs), `the dialogs in ${runtime.name}, ${theme}`, (tools) => {
      inEditor(runtime, theme, tools);
    });
  }
}

function inEditor(runtime: Runtime, theme: string, { test, before, after }: SuiteTools): void {
  let userDir: UserDirectory;
  let nodeRed: NodeRed;
  let editor: Editor;

  before(async () => {
    userDir = await userDirectoryWithLink();
    nodeRed = await startNodeRed({
      ...{ ...runtime, userDir: userDir.path },
      env: { PULSE_SERVER: `unix:${join(userDir.path, 'nobody')}` },
    });
    await nodeRed.deploy(BARE);
    editor = await openEditor(nodeRed.url, { dark: theme === 'dark' });
    await editor.page.addScriptTag({ path: join(ROOT, 'node_modules', 'axe-core', 'axe.min.js') });
  });
  after(async () => {
    await editor.close();
    await nodeRed.stop();
    await userDir.remove();
  });

  /** What axe finds in the open dialog. */
  async function violationsIn(configType?: string): Promise<string[]> {
    const violations = await editor.page.evaluate(`axe.run('${formOf(configType)}').then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`);
    return (violations as string[]).filter((violation) => !NODE_RED_OWN.test(violation));
  }

  async function screenshot(what: string): Promise<void> {
    if (SCREENSHOTS === undefined) return;
    await mkdir(SCREENSHOTS, { recursive: true });
    const name = `${what} ${runtime.name} ${theme}`.replaceAll(/[^\w.]+/g, '-');
    await editor.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }

  for (const type of NODE_TYPES) {
    const configType = CONFIG_TYPES.includes(type) ? type : undefined;

    test(`${type} wears no red triangle for what a flow leaves out`, async () => {
      const { problems } = await editor.node(`bare-${type}`);
      const needed = NEEDED[type] ?? [];
      assert.deepEqual(
        problems.filter((problem) => !needed.some((name) => problem.startsWith(name))),
        [],
      );
    });

    test(`${type} opens without a fault that axe finds, and shows its defaults`, async () => {
      await editor.open(`bare-${type}`, configType);
      const { page } = editor;
      await screenshot(type);
      assert.deepEqual(await violationsIn(configType), []);
      const empty = await page
        .locator(`${formOf(configType)} .form-row select:visible`)
        .evaluateAll((selects) =>
          (selects as unknown as { id: string; value: string; selectedIndex: number }[])
            .filter(({ selectedIndex }) => selectedIndex < 0)
            .map(({ id }) => id),
        );
      assert.deepEqual(empty, [], 'a list shows no choice');
      const broken = await page
        .locator(`${formOf(configType)} .form-row:visible label > span`)
        .evaluateAll((spans) =>
          (spans as unknown as { innerText: string; getClientRects(): ArrayLike<unknown> }[])
            .filter((span) => span.getClientRects().length > 1)
            .map((span) => span.innerText),
        );
      assert.deepEqual(broken, [], 'a label takes two lines');
      await editor.done(configType);
    });
  }

  test('numbers are saved as numbers, and a blank one as blank', async () => {
    const id = 'bare-orgo-audio-vad';
    await editor.open(id);
    await editor.page.locator('#node-input-threshold').fill('0.25');
    await editor.page.locator('#node-input-hangoverMs').fill('');
    await editor.page.locator('#node-input-preRollMs').fill('${PRE_ROLL}');
    await editor.done();
    const { settings, problems } = await editor.node(id);
    assert.equal(settings['threshold'], 0.25);
    assert.equal(settings['hangoverMs'], '');
    assert.equal(settings['preRollMs'], '${PRE_ROLL}');
    assert.equal(settings['inputChannels'], 1);
    assert.deepEqual(problems, ['hangoverMs is empty: it must be a number from 0 to 10000']);
  });

  test('rows come and go with the setting that they depend on', async () => {
    await editor.open('bare-orgo-audio-opus');
    const { page } = editor;
    const bitrate = page.locator('#node-input-bitrate');
    const rate = page.locator('#node-input-sampleRate');
    assert.deepEqual([await bitrate.isVisible(), await rate.isVisible()], [true, false]);
    await page.locator('#node-input-mode').selectOption('decode');
    assert.deepEqual([await bitrate.isVisible(), await rate.isVisible()], [false, true]);
    await editor.done();
    assert.equal((await editor.node('bare-orgo-audio-opus')).settings['mode'], 'decode');
  });

  /** Presses the button Test of the open dialog, and waits for its last step. */
  async function testSteps(prefix: string, last: RegExp): Promise<string[]> {
    const { page } = editor;
    await page.locator(`#${prefix}orgo-test`).press('Enter');
    const steps = page.locator(`#${prefix}orgo-test-steps li`);
    await steps.filter({ hasText: last }).waitFor();
    return (await steps.allInnerTexts()).map((text) => text.trim());
  }

  test('the server names its page and what is wrong, and its button Test tells each step', async () => {
    await editor.open('bare-orgo-audio-server');
    const { page } = editor;
    const link = page.locator('#orgo-audio-server-page a');
    assert.equal(await link.innerText(), 'http://127.0.0.1:8765/listen');
    const problem = page.locator('#orgo-audio-server-devices-problem');
    await problem.filter({ hasText: 'No sound server answers at unix:' }).waitFor();
    await page.locator('#node-input-port').fill('0');
    assert.equal(await link.isVisible(), false, 'nobody knows the address of a port that is not chosen yet');
    const [port, device] = await testSteps('node-input-', /Device/);
    assert.equal(port, 'Port: any free port of 127.0.0.1 is taken');
    assert.match(device ?? '', /^Device: No sound server answers/);
    assert.deepEqual(await violationsIn(), []);
    await screenshot('server tested');
    await page.locator('#node-input-source').selectOption('test');
    await page.locator('#node-input-listen').selectOption('node-red');
    assert.equal(await link.innerText(), `${nodeRed.url}/audio/listen`);
    await editor.done();
  });

  test('a computer is tried as it was typed, against a server that runs', async () => {
    const port = await freePort();
    const served = { id: 'served', type: 'orgo-audio-server', z: 'tab', source: 'test', port, wires: [] };
    const credentials = { password: 'typed at the server' };
    await nodeRed.deploy([...BARE, { ...served, credentials }]);
    await nodeRed.status('served', (text) => text.startsWith('listening'));
    await editor.open('bare-orgo-computer', 'orgo-computer');
    const { page } = editor;
    await page.locator('#node-config-input-audioUrl').fill(`ws://127.0.0.1:${port}/audio`);
    await page.locator('#node-config-input-password').fill('another');
    const wrong = await testSteps('node-config-input-', /Password/);
    assert.match(wrong.join(), /^Address: .* answers,Password: .* rejected the password/);
    await page.locator('#node-config-input-password').fill(credentials.password);
    const [, password, sound] = await testSteps('node-config-input-', /Sound/);
    assert.equal(password, 'Password: accepted');
    assert.match(sound ?? '', /^Sound: 24000 Hz mono s16le arrives/);
    assert.deepEqual(await violationsIn('orgo-computer'), []);
    await screenshot('computer tested');
    await editor.done('orgo-computer');
  });
}
