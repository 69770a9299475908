/** What a node has worked off does not stay in memory, though its stream goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { opusNode } from '../../nodes/orgo-audio-opus/audio-opus';
import resample from '../../nodes/orgo-audio-resample/orgo-audio-resample';
import vad from '../../nodes/orgo-audio-vad/orgo-audio-vad';
import { chooseLibrary } from '../../src/opus/choose-library';
import { FakeClock } from './fake-clock';
import { FakeRed } from './fake-red';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const dependencies = { clock: new FakeClock(), defer: (fn: () => void) => void setImmediate(fn) };
const opus = opusNode(chooseLibrary);
type Register = typeof resample;

const NODES: [name: string, register: Register, config: Record<string, unknown>][] = [
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

for (const [name, register, config] of NODES) {
  test(`${name} keeps nothing of a payload that it has worked off`, async () => {
    const RED = new FakeRed();
    register(RED, dependencies);
    const node = RED.create([...RED.types.keys()][0]!, config);
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
