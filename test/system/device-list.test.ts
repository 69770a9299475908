/** The list of devices in the server's dialog, asked of a real sound server while something plays. */
import assert from 'node:assert/strict';
import { userDirectoryWithLink } from '../support/linked-package';
import { describeWith, needs } from '../support/needs';
import { startNodeRed, type NodeRed } from '../support/node-red';
import { openEditor, type Editor } from '../support/node-red-editor';
import { startPulse, type PulseDaemon } from '../support/pulse-daemon';
import { OWN_RUNTIME, type UserDirectory } from '../support/runtimes';

const FLOW = [
  { id: 'tab', type: 'tab', label: 'a server' },
  { id: 'server', type: 'orgo-audio-server', z: 'tab', port: 0, x: 200, y: 80, wires: [[]] },
];

describeWith(
  needs('chromium', 'pulseaudio', 'pacat', ...OWN_RUNTIME.needs),
  'the devices in the dialog of a server',
  ({ test, before, after }) => {
    let userDir: UserDirectory;
    let pulse: PulseDaemon;
    let nodeRed: NodeRed;
    let editor: Editor;

    before(async () => {
      userDir = await userDirectoryWithLink();
      pulse = await startPulse({ sinks: [{ name: 'desk' }, { name: 'speaker' }] });
      nodeRed = await startNodeRed({ ...OWN_RUNTIME, userDir: userDir.path, env: pulse.env });
      await nodeRed.deploy(FLOW);
      editor = await openEditor(nodeRed.url);
    });
    after(async () => {
      await editor.close();
      await nodeRed.stop();
      await pulse.stop();
      await userDir.remove();
    });

    test('are listed with what plays now, and the one that is chosen is saved and tested', async () => {
      const { page } = editor;
      const player = pulse.play({ hz: 440, seconds: 600, rate: 8000, channels: 1 }, { sink: 'speaker' });
      while ((await pulse.pactl('list', 'short', 'sink-inputs')) === '');
      await editor.open('server');
      const options = page.locator('#orgo-audio-server-devices option');
      await options.filter({ hasText: 'playing now' }).waitFor({ state: 'attached' });
      const texts = await options.allInnerTexts();
      assert.equal(texts.length, 4, texts.join(' | '));
      assert.match(texts[0] ?? '', /^The default sink: .*desk/i);
      assert.doesNotMatch(texts[1] ?? '', /playing/);
      assert.match(texts[2] ?? '', /speaker.* · ♪ playing now: \S/i);
      const list = page.locator('#orgo-audio-server-devices');
      assert.equal(await list.inputValue(), '');
      await list.selectOption('speaker');
      assert.equal(await page.locator('#node-input-device').inputValue(), 'speaker');
      await page.locator('#node-input-orgo-test').click();
      await page.getByText('speaker is there, captured as 48000 Hz stereo s16le').waitFor();
      await player.stop();
      await page.locator('#orgo-audio-server-devices-again').click();
      await options.filter({ hasText: 'playing now' }).waitFor({ state: 'detached' });
      assert.equal(await list.inputValue(), 'speaker', 'the choice is kept');
      await page.locator('#node-input-device').fill('a name that the list lacks');
      assert.equal((await list.locator('option:checked').innerText()).trim(), 'another one, by its name');
      await page.locator('#node-input-device').fill('speaker');
      await editor.done();
      assert.equal((await editor.node('server')).settings['device'], 'speaker');
    });
  },
);
