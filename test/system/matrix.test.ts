/** The packed package in real Node-REDs, of both versions that are in use: every example imported and run. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { fillIn, importExample, nodeOf, type Flow, withFlowEnv } from '../support/examples';
import { describeWith, needs, type SuiteTools } from '../support/needs';
import { startMachineWitness } from '../support/machine-witness';
import { freePort, isPortTaken, startNodeRed, type NodeRed } from '../support/node-red';
import { packPackage, type PackedPackage } from '../support/packed-package';
import { startPulse, type PulseDaemon } from '../support/pulse-daemon';
import {
  NEWER_RUNTIME,
  OWN_RUNTIME,
  userDirectoryWith,
  type Runtime,
  type UserDirectory,
} from '../support/runtimes';
import { untilProved, type Fault } from '../support/stall-witness';
import { channelOf, measureTone } from '../support/tone';

const API_KEY = 'key-of-the-hosted-service';
const PASSWORD = 'correct-horse';
const COMPUTER_ID = 'a3bb189e-8bf9-3888-9912-ace4e6543002';
const TONE = { hz: 440, seconds: 60, amplitude: 0.5 };
/** Of a sine of amplitude 0.5: 20 log10(0.5 / √2) */
const TONE_DBFS = -9.03;
const WAV_HEADER_BYTES = 44;
/** Attempts in which a witness saw the machine stall: one more fails the test. */
const MAX_VOIDS = 5;
/** That two seconds are recorded is seen this exactly. */
const START_UNCERTAINTY_MS = 500;
/** Less is made up for on the way. */
const MIN_STALL_MS = 20;

/** `-9.0` of a level message, `-9.0 dBFS ███`; NaN for digital silence. */
function dbfsOf(text: string): number {
  return Number.parseFloat(text);
}

/**
 * Each stretch of 10 ms that is not the whole tone, from where it begins: what is recorded starts with silence until the
 * sound server gives its first sound.
 * @param startTime of the first sample, epoch ms, as well as it is known
 */
function faintWindows(samples: Float64Array, sampleRate: number, startTime: number): Fault[] {
  const length = sampleRate / 100;
  const begin = samples.findIndex((sample) => sample !== 0);
  assert.ok(begin >= 0, 'nothing but silence was recorded');
  const tone = samples.subarray(begin);
  const amplitudes = Array.from(
    { length: Math.floor(tone.length / length) },
    (_, i) => measureTone(tone.subarray(i * length, (i + 1) * length), { hz: TONE.hz, sampleRate }).amplitude,
  );
  return amplitudes.flatMap((amplitude, i) => {
    if (Math.abs(amplitude - TONE.amplitude) < 0.02) return [];
    const fromMs = startTime + i * 10 - START_UNCERTAINTY_MS;
    const what = `amplitude ${amplitude.toFixed(2)} at ${i * 10} ms`;
    return [{ what, fromMs, toMs: fromMs + 2 * START_UNCERTAINTY_MS, causeMs: MIN_STALL_MS }];
  });
}

function isToneLevel(text: string): boolean {
  return Math.abs(dbfsOf(text) - TONE_DBFS) < 0.5;
}

for (const runtime of [OWN_RUNTIME, NEWER_RUNTIME]) {
  describeWith(needs('pulseaudio', 'pactl', 'pacat', ...runtime.needs), runtime.name, (tools) =>
    inRuntime(runtime, tools),
  );
}

function inRuntime(runtime: Runtime, { test, before, after }: SuiteTools): void {
  let packed: PackedPackage;
  let userDir: UserDirectory;
  let pulse: PulseDaemon;
  let nodeRed: NodeRed;
  /** Ports of what was deployed so far. */
  const ports: number[] = [];

  before(async () => {
    packed = await packPackage();
    userDir = await userDirectoryWith(packed.file);
    pulse = await startPulse();
    const env = { ...pulse.env, ORGO_API_KEY: API_KEY, ORGO_COMPUTER_ID: COMPUTER_ID };
    nodeRed = await startNodeRed({ ...runtime, userDir: userDir.path, env });
    pulse.play(TONE);
  });
  after(async () => {
    await nodeRed.stop();
    await pulse.stop();
    await userDir.remove();
    await packed.remove();
  });

  /** The example on a port of its own, since its own may be taken on this machine. */
  async function ownPort(flow: Flow): Promise<{ flow: Flow; port: number }> {
    const port = await freePort();
    ports.push(port);
    const usual = String(nodeOf(flow, 'orgo-audio-server')['port']);
    return { port, flow: JSON.parse(JSON.stringify(flow).replaceAll(usual, String(port))) as Flow };
  }

  /** Our own server in the hosted service's place, and `flow`, which asks its API where the computer is. */
  async function withHostedComputer(flow: Flow): Promise<Flow> {
    const hosted = await ownPort(await importExample('hear-this-computer'));
    const server = fillIn(hosted.flow, 'orgo-audio-server', {
      source: 'test',
      credentials: { apiKey: API_KEY },
    });
    const kept = server.filter(({ type }) => type === 'tab' || type === 'orgo-audio-server');
    const listener = fillIn(flow, 'orgo-computer', {
      apiUrl: `http://127.0.0.1:${hosted.port}/api`,
    });
    return [...kept, ...listener];
  }

  test('loads every node of the package', async () => {
    const modules = (await nodeRed.get('/nodes')) as { module: string; types: string[]; err?: unknown }[];
    const sets = modules.filter(({ module }) => module === 'node-red-contrib-orgo-audio');
    assert.deepEqual(
      sets.filter(({ err }) => err !== undefined),
      [],
    );
    const types = sets.flatMap((set) => set.types).sort();
    for (const type of ['orgo-audio-in', 'orgo-audio-server', 'orgo-computer'])
      assert.ok(types.includes(type));
  });

  test('a Discord node says that its packages are not there, and all else works', async () => {
    const bot = { guildId: '100000000000000001', channelId: '200000000000000001' };
    await nodeRed.deploy([
      { id: 'tab', type: 'tab', label: 'voice' },
      {
        ...{ id: 'voice', type: 'orgo-discord-voice', z: 'tab', x: 100, y: 100, ...bot, wires: [[]] },
        credentials: { token: 'a.bot.token' },
      },
      { id: 'catch', type: 'catch', z: 'tab', x: 100, y: 200, scope: null, wires: [['errors']] },
      {
        ...{ id: 'errors', type: 'debug', z: 'tab', x: 300, y: 200, name: 'errors', active: true },
        ...{ tosidebar: true, complete: 'error.message', targetType: 'msg', wires: [] },
      },
    ]);
    await nodeRed.status('voice', (text) => text === 'packages missing');
    const { msg } = await nodeRed.debug('errors');
    const isTooOld = runtime === OWN_RUNTIME && process.versions.node.startsWith('20.');
    assert.match(
      msg,
      isTooOld
        ? /^Node\.js 20.* needs 22\.12 or newer\. Update Node\.js/
        : /^Not installed: @discordjs\/voice.*npm install @discordjs\/voice@~0\.19\.2/,
    );
  });

  test('hears this computer: the level of what plays appears in the sidebar', async () => {
    const { flow } = await ownPort(await importExample('hear-this-computer'));
    await nodeRed.deploy(flow);
    await nodeRed.debug('Server events', ({ msg }) => msg.includes('listener-connected'));
    const { msg } = await nodeRed.debug('Level', (message) => isToneLevel(message.msg));
    assert.match(msg, /^-\d+\.\d dBFS █+$/);

    // Its password, made up when the flow started, outlives the deployment of a single node. As the editor
    // does, that leaves out the credentials that stay.
    const oneChanged = flow.map((node) => ({
      ...node,
      credentials: undefined,
      ...(node.type === 'orgo-audio-server' && { maxListeners: 2 }),
    }));
    await nodeRed.deploy(oneChanged, 'nodes');
    await nodeRed.debug('Server events', (message) => message.msg.includes('listener-connected'));
    await nodeRed.debug('Level', (message) => isToneLevel(message.msg));
  });

  test('hears a computer of our own server, which its API describes as the hosted one does', async () => {
    await nodeRed.deploy(await withHostedComputer(await importExample('hear-an-orgo-computer')));
    await nodeRed.debug('Connection events', ({ msg }) => msg.includes('connected'));
    await nodeRed.debug('Level', ({ msg }) => dbfsOf(msg) > -60);
  });

  test('records to a WAV file between the buttons Start and Stop', (t) =>
    untilProved(t, MAX_VOIDS, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'orgo-recordings-'));
      const machine = startMachineWitness(nodeRed.pid, pulse.pid);
      const { flow } = await ownPort(await importExample('record-to-wav'));
      await nodeRed.deploy(withFlowEnv(flow, { ORGO_RECORDINGS: directory }));
      await nodeRed.press(nodeOf(flow, 'inject', 'Start').id);
      await nodeRed.debug('Server events', ({ msg }) => msg.includes('sound-started'));
      await nodeRed.status(nodeOf(flow, 'function').id, (text) => text === '2 s');
      const toldAt = performance.timeOrigin + performance.now();
      await nodeRed.press(nodeOf(flow, 'inject', 'Stop').id);
      const { msg: path } = await nodeRed.debug('Written');

      const wav = await readFile(path);
      assert.equal(wav.readUInt32LE(4), wav.length - 8, 'the size that RIFF names');
      assert.equal(wav.readUInt32LE(40), wav.length - WAV_HEADER_BYTES, 'the size that data names');
      const sampleRate = wav.readUInt32LE(24);
      assert.equal(sampleRate, 24_000);
      const samples = channelOf(wav.subarray(WAV_HEADER_BYTES), wav.readUInt16LE(22));
      assert.ok(samples.length >= 2 * sampleRate, `${samples.length} samples`);
      await rm(directory, { recursive: true });
      return { faults: faintWindows(samples, sampleRate, toldAt - 2000), stalls: await machine.stop() };
    }));

  test('relays: what is heard is served again, to a listener with the password', async () => {
    const { flow, port } = await ownPort(await importExample('relay'));
    await nodeRed.deploy(await withHostedComputer(withFlowEnv(flow, { ORGO_AUDIO_PASSWORD: PASSWORD })));
    await nodeRed.debug('Connection events', ({ msg }) => msg.includes('connected'));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/audio?token=${PASSWORD}`);
    const [started] = (await once(socket, 'message')) as [Buffer];
    assert.deepEqual(JSON.parse(started.toString()), { type: 'started', sample_rate: 24_000, channels: 1 });
    for (;;) {
      const [frame] = (await once(socket, 'message')) as [Buffer];
      assert.equal(frame.length % 960, 0, 'whole frames of 20 ms');
      if (frame.some((byte) => byte !== 0)) break;
    }
    socket.close();
    await once(socket, 'close');
  });

  test('leaves no listener behind when a flow is taken away, and ends when Node-RED does', async () => {
    await nodeRed.deploy([]);
    for (const port of ports) assert.equal(await isPortTaken(port), false, `port ${port} is still taken`);
    assert.equal(await nodeRed.stop(), 0);
  });
}
