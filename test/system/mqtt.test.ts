/** The two examples of MQTT, with a real broker: what is published comes back as it was, also after the broker was away. */
import assert from 'node:assert/strict';
import { userDirectoryWithLink } from '../support/linked-package';
import { importExample, nodeOf, type Flow } from '../support/examples';
import { startMosquitto, type Mosquitto } from '../support/mosquitto';
import { describeWith, needs } from '../support/needs';
import { freePort, startNodeRed, type DebugMessage, type FlowNode, type NodeRed } from '../support/node-red';
import { OWN_RUNTIME, type UserDirectory } from '../support/runtimes';

/** `msg.audio` after a node of this package has read it. */
interface Read {
  readonly stream: string;
  readonly position: number;
  readonly samples: number;
  readonly time: number;
  readonly gap: number;
}

const RATE = 24_000;
/** Of what is published beside the example: what is no sound, and a stream like the example's own. */
const [TEXT, NUMBERS_AS_TEXT, KEPT, OURS] = ['Text', 'Numbers as text', 'Kept', 'Ours'] as const;
const FOREIGN = [TEXT, NUMBERS_AS_TEXT, KEPT];
/** Frames: a second. */
const MANY = 50;

describeWith(needs('mosquitto'), 'the examples of MQTT', ({ test, before, after }) => {
  let broker: Mosquitto;
  let userDir: UserDirectory;
  let nodeRed: NodeRed;
  let flow: Flow;

  before(async () => {
    broker = await startMosquitto();
    userDir = await userDirectoryWithLink();
    nodeRed = await startNodeRed({
      ...OWN_RUNTIME,
      userDir: userDir.path,
      settings: { mqttReconnectTime: 200 },
    });
    flow = await bothExamples(broker.port);
    await nodeRed.deploy(flow);
  });
  after(async () => {
    await nodeRed.stop();
    await userDir.remove();
    await broker.stop();
  });

  /** All that was read since the beginning, until `enough`. Anything else at that debug node is an error that was caught. */
  async function readUntil(enough: (all: readonly Read[]) => boolean): Promise<readonly Read[]> {
    const all: Read[] = [];
    const seen = new Set<DebugMessage>();
    // It shows all messages again with each one that comes.
    await nodeRed.debug('Read', (message) => {
      if (seen.has(message)) return false;
      seen.add(message);
      const read = JSON.parse(message.msg) as Read;
      assert.ok('position' in read, message.msg);
      all.push(read);
      return enough(all);
    });
    return all;
  }

  /** Fails unless each message follows the one before it, at the time that its position says. */
  function assertSeamless(all: readonly Read[]): void {
    const [first] = all;
    assert.ok(first);
    all.reduce((end, { stream, position, samples, time, gap }) => {
      assert.equal(stream, first.stream);
      assert.equal(position, end + gap);
      const expected = first.time + ((position - first.position) * 1000) / RATE;
      assert.ok(Math.abs(time - expected) < 5, `${time} where ${expected} is expected`);
      return position + samples;
    }, first.position - first.gap);
  }

  test('bring the sound back in order, each sample at its place and time', async () => {
    const all = await readUntil(({ length }) => length === MANY);
    assertSeamless(all);
    assert.deepEqual(
      all.slice(1).filter(({ gap }) => gap > 0),
      [],
    );
  });

  test('leave out what is not theirs, and what a broker has kept', async () => {
    // A broker keeps the order of what one client publishes: with the last one, all have come.
    for (const name of [...FOREIGN, OURS]) await nodeRed.press(nodeOf(flow, 'inject', name).id);
    const all = await readUntil((read) => read.at(-1)?.stream === OURS);
    assertSeamless(all.slice(0, -1));
  });

  test('hand out each utterance whole, with its place', async () => {
    const { msg } = await nodeRed.debug('Utterance');
    const { id, durationMs } = JSON.parse(msg) as { id: string; durationMs: number };
    assert.ok(id.length > 0 && durationMs > 200, msg);
  });

  test('count what was lost while the broker was away as a gap, and go on at the right place', async () => {
    await broker.kill();
    await nodeRed.status(nodeOf(flow, 'mqtt in', 'From the broker').id, (text) =>
      text.includes('connecting'),
    );
    await broker.restart();
    const all = await readUntil((read) => {
      const lost = read.findIndex(({ gap }) => gap > 0);
      return lost > 0 && read.length > lost + MANY;
    });
    assertSeamless(all.filter(({ stream }) => stream !== OURS));
  });
});

/** Both examples, with this broker, the built-in test signal, and a node that reads what came. */
async function bothExamples(brokerPort: number): Promise<Flow> {
  const [publish, subscribe] = [
    await importExample('scale/mqtt-publish'),
    await importExample('scale/mqtt-subscribe'),
  ];
  const port = await freePort();
  const own = [...publish, ...subscribe].map((node): FlowNode => {
    switch (node.type) {
      case 'mqtt-broker':
        return { ...node, port: String(brokerPort) };
      case 'orgo-audio-server':
        return { ...node, source: 'test', port };
      case 'orgo-computer':
        return { ...node, audioUrl: `ws://127.0.0.1:${port}/audio` };
      default:
        return node;
    }
  });
  const sent = nodeOf(own, 'function', 'As it was sent');
  const z = sent['z'];
  const broker = nodeOf(subscribe, 'mqtt-broker').id;
  /** A button that publishes a message. */
  const published = (name: string, msg: string, retain: string): FlowNode[] => [
    {
      id: `inject ${name}`,
      type: 'inject',
      z,
      name,
      props: [],
      repeat: '',
      once: false,
      wires: [[`make ${name}`]],
    },
    {
      ...{ id: `make ${name}`, type: 'function', z, outputs: 1, wires: [[`publish ${name}`]] },
      func: `return { ${msg} };`,
    },
    {
      ...{ id: `publish ${name}`, type: 'mqtt out', z, topic: 'sound/foreign', qos: '0', retain, broker },
      ...{ respTopic: '', contentType: '', userProps: '', correl: '', expiry: '', wires: [] },
    },
  ];
  return [
    ...own.map((node) => (node === sent ? { ...node, wires: [['reader']] } : node)),
    { id: 'reader', type: 'orgo-audio-resample', z, name: '', wires: [['read']] },
    { id: 'caught', type: 'catch', z, scope: null, uncaught: false, wires: [['read']] },
    {
      ...{ id: 'read', type: 'debug', z, name: 'Read', active: true, tosidebar: true },
      ...{ complete: 'audio', targetType: 'msg', wires: [] },
    },
    ...published(TEXT, `payload: 'hello'`, 'false'),
    ...published(NUMBERS_AS_TEXT, `payload: 'noise', userProperties: { sampleRate: '24000' }`, 'false'),
    ...published(KEPT, `payload: Buffer.alloc(960), userProperties: { orgo: '${described(KEPT)}' }`, 'true'),
    ...published(OURS, `payload: Buffer.alloc(960), userProperties: { orgo: '${described(OURS)}' }`, 'false'),
  ];
}

function described(stream: string): string {
  return JSON.stringify({ audio: { encoding: 's16le', sampleRate: RATE, channels: 1, stream, position: 0 } });
}
