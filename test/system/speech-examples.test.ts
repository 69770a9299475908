/** The examples of speech and Opus, imported into a real Node-RED and run on the built-in test signal. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { parseWavHeader } from '../../src/containers/wav-header';
import { fillIn, importExample, nodeOf, withFlowEnv, type Flow } from '../support/examples';
import { startExampleScene, type ExampleScene } from '../support/example-scene';
import { describeWith, needs, type SuiteTools } from '../support/needs';
import { freePort, type NodeRed } from '../support/node-red';
import { NEWER_RUNTIME, OWN_RUNTIME, type Runtime } from '../support/runtimes';

const run = promisify(execFile);

const WAV_HEADER_BYTES = 44;
/** Of the wake example, in place of its 10: the test signal pauses for less. */
const LINGER_S = '1';

for (const runtime of [OWN_RUNTIME, NEWER_RUNTIME]) {
  const name = `the examples of speech and Opus, ${runtime.name}`;
  describeWith(needs('opusinfo', 'ffprobe', ...runtime.needs), name, (tools) => inRuntime(runtime, tools));
}

function inRuntime(runtime: Runtime, { test, before, after }: SuiteTools): void {
  let scene: ExampleScene;
  let directory: string;
  let nodeRed: NodeRed;

  before(async () => {
    scene = await startExampleScene(runtime);
    ({ directory, nodeRed } = scene);
  });
  after(() => scene.stop());

  /** The example on a free port, its server playing the test signal. */
  async function example(name: string): Promise<Flow> {
    const port = await freePort();
    const flow = await importExample(name);
    const own = fillIn(flow, 'orgo-audio-server', { port, source: 'test' });
    return fillIn(own, 'orgo-computer', { audioUrl: `ws://127.0.0.1:${port}/audio` });
  }

  test('writes each utterance to a WAV file of its own, named after its time', async () => {
    const before = Date.now();
    const flow = withFlowEnv(await example('speech/utterances-to-wav'), { ORGO_RECORDINGS: directory });
    await nodeRed.deploy(flow);
    const { msg: first } = await nodeRed.debug('Written');
    const { msg: second } = await nodeRed.debug('Written', ({ msg }) => msg !== first);
    const times: number[] = [];
    for (const path of [first, second]) {
      const [, day, hms, ms] = /utterance-(.{10})T(.{8})-(\d{3})\.wav$/.exec(path) ?? [];
      times.push(Date.parse(`${day ?? ''}T${(hms ?? '').replaceAll('-', ':')}.${ms ?? ''}Z`));
      const wav = await readFile(path);
      const header = parseWavHeader(wav);
      assert.deepEqual(header?.format, { encoding: 's16le', sampleRate: 24_000, channels: 1 });
      assert.equal(header.dataLength, wav.length - WAV_HEADER_BYTES);
      assert.ok(header.dataLength > 24_000, 'more than half a second');
    }
    const [a = NaN, b = NaN] = times;
    assert.ok(before <= a && a < b && b <= Date.now(), `${a}, ${b}`);
  });

  test('connects the expensive service when someone speaks, and leaves it after a while of silence', async () => {
    const port = String(await freePort());
    const flow = withFlowEnv(await example('speech/wake-expensive-service'), { SERVICE_PORT: port });
    const service = fillIn(fillIn(flow, 'tcp in', { port }), 'trigger', { duration: LINGER_S });
    await nodeRed.deploy(service);
    await nodeRed.debug('Speech events', ({ msg }) => msg.includes('speech-start'));
    await nodeRed.debug('Opened and closed', ({ msg }) => msg === 'connect');
    await nodeRed.debug('The service hears', ({ msg }) => msg === 'heard 1 s');
    // The sound that is heard goes on: were it not gated, nothing would ever close the connection.
    await nodeRed.debug('Opened and closed', ({ msg }) => msg === 'disconnect');
  });

  test('records Ogg Opus between the buttons Start and Stop, as opusinfo and ffprobe like it', async () => {
    const flow = withFlowEnv(await example('speech/opus-to-ogg'), { ORGO_RECORDINGS: directory });
    await nodeRed.deploy(flow);
    await nodeRed.press(nodeOf(flow, 'inject', 'Start').id);
    await nodeRed.debug('Connection events', ({ msg }) => msg.includes('stats'));
    await nodeRed.press(nodeOf(flow, 'inject', 'Stop').id);
    const { msg: path } = await nodeRed.debug('Written');

    const { stdout, stderr } = await run('opusinfo', [path]);
    assert.doesNotMatch(stdout + stderr, /warning|error/i);
    assert.match(stdout, /Logical stream 1 ended/);
    const probe = await run('ffprobe', [
      '-v',
      'warning',
      '-show_entries',
      'stream=codec_name,channels',
      path,
    ]);
    assert.equal(probe.stderr, '');
    assert.match(probe.stdout, /codec_name=opus\nchannels=1\n/);
  });

  test('makes packets of 20 ms, 48 kHz stereo, 50 in each second of sound', async () => {
    await nodeRed.deploy(await example('discord/opus-packets'));
    const { msg } = await nodeRed.debug('Packets', (message) => message.msg.startsWith('100 packets'));
    const [, position = '', kbits] =
      /^100 packets, 2 channels, position (-?\d+), (\d+) kbit\/s$/.exec(msg) ?? [];
    assert.ok(Number(kbits) > 10 && Number(kbits) < 130, msg);
    assert.ok(Math.abs(Number(position) - 99 * 960) < 960, msg);
  });
}
