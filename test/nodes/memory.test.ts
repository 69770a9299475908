/** What a node has worked off does not stay in memory, though its stream goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AudioOpus } from '../../nodes/orgo-audio-opus/audio-opus';
import { AudioResample } from '../../nodes/orgo-audio-resample/audio-resample';
import { AudioVad } from '../../nodes/orgo-audio-vad/audio-vad';
import { registerNode, type NodeBehaviour, type NodeConfig, type RedNode } from '../../nodes/shared/red';
import { chooseLibrary } from '../../src/opus/choose-library';
import { FakeClock } from './fake-clock';
import { FakeRed } from './fake-red';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const surroundings = { clock: new FakeClock(), defer: (fn: () => void) => void setImmediate(fn) };
type Build = (RED: FakeRed, node: RedNode, config: NodeConfig) => NodeBehaviour;
const resample: Build = (RED, node, config) => new AudioResample(RED, node, config, surroundings);
const opus: Build = (RED, node, config) => new AudioOpus(RED, node, config, surroundings, chooseLibrary());
const vad: Build = (RED, node, config) => new AudioVad(RED, node, config, surroundings);

const NODES: [name: string, build: Build, config: Record<string, unknown>][] = [
  ['a resampler that changes nothing', resample, {}],
  ['a resampler that changes the rate', resample, { sampleRate: 48000 }],
  ['a resampler that changes the gain', resample, { gainDb: 6 }],
  ['a resampler that cuts frames', resample, { frameMs: 20 }],
  ['an Opus encoder', opus, {}],
  ['an Opus encoder into Ogg', opus, { container: 'ogg' }],
  ['a speech detector that drops', vad, { gate: 'drop' }],
  ['a speech detector that silences', vad, { gate: 'silence' }],
  ['a speech detector that lets pass', vad, { gate: 'pass' }],
];

for (const [name, build, config] of NODES) {
  test(`${name} keeps nothing of a payload that it has worked off`, async () => {
    const RED = new FakeRed();
    registerNode(RED, 'a-node', {}, (node, settings) => build(RED, node, settings));
    const node = RED.create('a-node', config);
    // 48 kHz, so that the encoder takes the samples as they are; some do not fill the last frame.
    const audio = { encoding: 's16le', sampleRate: 48000, channels: 1, stream: 's' };
    const memory = await (async () => {
      const payload = Buffer.alloc(2 * (48000 + 333));
      assert.equal(await node.receive({ payload, audio }), undefined);
      return new WeakRef(payload.buffer);
    })();
    node.sent.length = 0;
    for (let i = 0; i < 3 && memory.deref(); i++) {
      await turn();
      collectGarbage();
    }
    assert.equal(memory.deref() === undefined, true, 'the payload is still held');
    assert.equal(await node.receive({ payload: Buffer.alloc(2), audio }), undefined, 'the stream goes on');
    await node.close();
  });
}
