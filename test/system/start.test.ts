/** `npm start` as a newcomer runs it: one command, and sound moves through a flow. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describeWith, needs } from '../support/needs';
import { EditorChannel, freePort, isPortTaken, type FlowNode } from '../support/node-red';
import { ROOT } from '../support/packed-package';
import { startPulse, type PulseDaemon } from '../support/pulse-daemon';
import { adopt } from '../support/sound-clients';

/** Of the example's server, which a newcomer's machine has free. */
const AUDIO_PORT = 8765;
const READY = /Stop\s+Ctrl-C/;

describeWith(needs('pulseaudio', 'pactl', 'pacat'), 'npm start', ({ test, before, after }) => {
  let pulse: PulseDaemon;
  let userDir: string;
  let port: number;
  before(async () => {
    assert.equal(
      await isPortTaken(AUDIO_PORT),
      false,
      `port ${AUDIO_PORT} is taken: npm start already runs here`,
    );
    pulse = await startPulse();
    userDir = await mkdtemp(join(tmpdir(), 'orgo-start-'));
    port = await freePort();
  });
  after(async () => {
    await pulse.stop();
    await rm(userDir, { recursive: true, force: true });
  });

  /** Starts the script; resolves with its output when that has matched `until`, or when it has ended. */
  async function start(
    env: Readonly<Record<string, string>>,
    until = READY,
  ): Promise<{ child: ChildProcessByStdio<null, Readable, Readable>; output: string }> {
    const child = spawn(process.execPath, ['scripts/start.mjs'], {
      cwd: ROOT,
      env: { ...process.env, PORT: String(port), ORGO_USER_DIR: userDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    adopt(child);
    let output = '';
    await new Promise<void>((resolve) => {
      const take = (chunk: Buffer): void => {
        output += chunk.toString();
        if (until.test(output)) resolve();
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.on('close', () => resolve());
    });
    return { child, output };
  }

  async function flowOf(): Promise<FlowNode[]> {
    return (await (await fetch(`http://127.0.0.1:${port}/flows`)).json()) as FlowNode[];
  }

  test('says what to open and what it found; a level that plays appears in the sidebar; Ctrl-C ends it', async () => {
    const { child, output } = await start(pulse.env);
    assert.match(output, new RegExp(`Open\\s+http://127.0.0.1:${port}/`));
    assert.ok(output.includes(`PulseAudio answers at unix:${pulse.socket}`), output);
    const editor = await EditorChannel.open(`http://127.0.0.1:${port}`);
    const player = pulse.play({ hz: 440, seconds: 60, amplitude: 0.5 });
    while (!editor.messages.some(({ name, msg }) => name === 'Level' && msg.startsWith('-9.0 dBFS'))) {
      await editor.changed();
    }
    editor.close();
    await player.stop();
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'close'), [0, null]);
    assert.equal(await isPortTaken(AUDIO_PORT), false);
  });

  test('plays the test signal where no sound server answers', async () => {
    const { child, output } = await start({ PULSE_SERVER: `unix:${join(userDir, 'no-such-socket')}` });
    assert.match(output, /Sound\s+the built-in test signal/);
    assert.equal((await flowOf()).find(({ type }) => type === 'orgo-audio-server')?.['source'], 'test');
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });

  test('keeps what its user has changed', async () => {
    const { child } = await start(pulse.env);
    const changed = (await flowOf()).map((node) => (node.type === 'tab' ? { ...node, label: 'Mine' } : node));
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify(changed);
    await fetch(`http://127.0.0.1:${port}/flows`, { method: 'POST', headers, body });
    child.kill('SIGINT');
    await once(child, 'close');

    const again = await start(pulse.env);
    assert.match(again.output, /Flow\s+as you left it/);
    assert.equal((await flowOf()).find(({ type }) => type === 'tab')?.['label'], 'Mine');
    again.child.kill('SIGINT');
    await once(again.child, 'close');
  });

  test('says plainly that a port is taken, and how to choose another', async () => {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    const { child, output } = await start(pulse.env);
    server.close();
    assert.equal(child.exitCode, 1);
    assert.match(output, new RegExp(`Port ${port} .* taken .* PORT=${port + 1} npm start`));
  });

  test('refuses a PORT that is none', async () => {
    const { child, output } = await start({ PORT: 'eighty' });
    assert.equal(child.exitCode, 1);
    assert.match(output, /PORT is "eighty"/);
  });
});
