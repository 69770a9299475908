/** The examples of conversion, imported into real Node-REDs; the radio is one that this test makes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CD, decode, made, tones, wavFile } from '../convert/support/files';
import { importExample, nodeOf, withFlowEnv, type Flow } from '../support/examples';
import { startExampleScene, type ExampleScene } from '../support/example-scene';
import { describeWith, needs, type SuiteTools } from '../support/needs';
import { freePort, type NodeRed } from '../support/node-red';
import { NEWER_RUNTIME, OWN_RUNTIME, type Runtime } from '../support/runtimes';

/** Of two sines of amplitude 10000: 20 log10(10000 / 32768 / √2) */
const TONES_DBFS = -13.3;
const PIECE_BYTES = 2000;
const PIECE_MS = 50;

for (const runtime of [OWN_RUNTIME, NEWER_RUNTIME]) {
  const name = `the examples of conversion, ${runtime.name}`;
  describeWith(needs('ffmpeg', ...runtime.needs), name, (tools) => inRuntime(runtime, tools));
}

function isLoud({ msg }: { readonly msg: string }): boolean {
  return Math.abs(Number.parseFloat(msg) - TONES_DBFS) < 4;
}

/** An internet radio as Icecast is one: the answer never ends, and has no length. */
async function startRadio(mp3: Buffer): Promise<Server> {
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'Content-Type': 'audio/mpeg', 'icy-name': 'of a test' });
    let at = 0;
    const timer = setInterval(() => {
      res.write(mp3.subarray(at, at + PIECE_BYTES));
      at = (at + PIECE_BYTES) % mp3.length;
    }, PIECE_MS);
    res.on('close', () => clearInterval(timer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function inRuntime(runtime: Runtime, { test, before, after }: SuiteTools): void {
  let scene: ExampleScene;
  let directory: string;
  let nodeRed: NodeRed;
  let mp3: Buffer;

  before(async () => {
    mp3 = made('a.mp3', ['-b:a', '192k'], wavFile(CD, tones(CD, 5)));
    scene = await startExampleScene(runtime);
    ({ directory, nodeRed } = scene);
  });
  after(() => scene.stop());

  /** The example on a free port. */
  async function example(name: string, env: Readonly<Record<string, string>>): Promise<Flow> {
    const flow = withFlowEnv(await importExample(`convert/${name}`), env);
    const usual = String(nodeOf(flow, 'orgo-audio-server')['port']);
    return JSON.parse(JSON.stringify(flow).replaceAll(usual, String(await freePort()))) as Flow;
  }

  async function deployAndListen(flow: Flow): Promise<void> {
    await nodeRed.deploy(flow);
    await nodeRed.debug('Server events', ({ msg }) => msg.includes('listener-connected'));
    await nodeRed.press(nodeOf(flow, 'inject', 'Play').id);
  }

  test('plays a file to all listeners', async () => {
    const file = join(directory, 'a song.mp3');
    await writeFile(file, mp3);
    await deployAndListen(await example('play-a-file', { ORGO_SOUND_FILE: file }));
    await nodeRed.debug('Loudness', isLoud);
  });

  test('records MP3 between the buttons Start and Stop', async () => {
    const flow = await example('record-mp3', { ORGO_RECORDINGS: directory });
    const own = flow.map((node) => (node.type === 'orgo-audio-server' ? { ...node, source: 'test' } : node));
    await nodeRed.deploy(own);
    await nodeRed.press(nodeOf(flow, 'inject', 'Start').id);
    await nodeRed.debug('Server events', ({ msg }) => msg.includes('stats'));
    await nodeRed.press(nodeOf(flow, 'inject', 'Stop').id);
    const { msg: path } = await nodeRed.debug('Written');
    assert.match(path, /orgo-\d{4}-\d\d-\d\dT[\d-]{8}\.mp3$/);
    const { samples, shape, error } = await decode(await readFile(path));
    assert.deepEqual([shape, error], ['24000/1', undefined]);
    assert.ok(samples > 24_000, String(samples));
  });

  test('hears an internet radio while it sends, and leaves it at Stop', async () => {
    const radio = await startRadio(mp3);
    try {
      const { port } = radio.address() as AddressInfo;
      const flow = await example('internet-radio', { ORGO_RADIO_URL: `http://127.0.0.1:${port}/radio.mp3` });
      await deployAndListen(flow);
      await nodeRed.debug('Loudness', isLoud);
      await nodeRed.press(nodeOf(flow, 'inject', 'Stop').id);
      await nodeRed.status(nodeOf(flow, 'orgo-audio-convert').id, (text) => text === 'idle');
    } finally {
      radio.closeAllConnections();
      radio.close();
    }
  });
}
