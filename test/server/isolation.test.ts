/** A fault in one part of the broadcast stays there. */
import assert from 'node:assert/strict';
import { afterEach, describe, mock } from 'node:test';
import type { OrgoError } from '../../src/audio/errors';
import type { PcmFrame } from '../../src/audio/frame';
import { SoundDetector } from '../../src/audio/sound-detector';
import { FlowSource } from '../../src/capture/flow-source';
import { Packetizer } from '../../src/server/packetizer';
import { FakeClock } from '../nodes/fake-clock';
import { ManualSource, ramp, WIRE_DEFAULT } from '../support/manual-source';
import { ServerRig } from '../support/server-rig';
import { it } from '../support/hang-guard';

const FRAME = 480;

afterEach(() => mock.restoreAll());

/** Lets the packetizer of one rate fail for as long as `broken` says. */
function breakRate(sampleRate: number, broken: () => boolean): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
  const { push } = Packetizer.prototype;
  mock.method(Packetizer.prototype, 'push', function (this: Packetizer, frame: PcmFrame) {
    if (this.format.sampleRate === sampleRate && broken()) throw new RangeError('offset is out of bounds');
    return push.call(this, frame);
  });
}

describe('a fault in one channel', () => {
  it('closes its own listeners with 4500, is reported once, and disturbs no other', async () => {
    const errors: OrgoError[] = [];
    const rig = await ServerRig.open({ onError: (error) => errors.push(error) });
    let broken = false;
    breakRate(48_000, () => broken);
    const [hit, spared] = [await rig.listen('&sample_rate=48000'), await rig.listen()];
    rig.source.give(FRAME);
    broken = true;
    for (let i = 0; i < 3; i++) rig.source.give(FRAME);
    assert.equal((await hit.untilClosed()).code, 4500);
    assert.deepEqual(hit.messages.at(-1), { type: 'error', message: 'Failed to start audio capture' });
    await spared.until(() => spared.binaries.length === 4);
    assert.deepEqual(spared.pcm, ramp(WIRE_DEFAULT, 0, 4 * FRAME));

    const again = await rig.listen('&sample_rate=48000');
    rig.source.give(FRAME);
    assert.equal((await again.untilClosed()).code, 4500);
    assert.equal(errors.length, 1, 'the same fault is reported once');
    assert.equal(errors[0]?.code, 'ORGO_CAPTURE_FAILED');
    assert.match(errors[0].message, /1 listener.*48000 Hz mono s16le.*4500.*offset is out of bounds/);

    broken = false;
    const healed = await rig.listen('&sample_rate=48000');
    for (let i = 0; i < 3; i++) rig.source.give(FRAME);
    await healed.until(() => healed.binaries.length >= 2);
    await rig.close();
  });

  it('lets the capture stop once its listeners have gone', async () => {
    const clock = new FakeClock();
    const rig = await ServerRig.open({ clock, onError: () => undefined });
    breakRate(24_000, () => true);
    const client = await rig.listen();
    rig.source.give(FRAME);
    await client.untilClosed();
    while (rig.audio.listenerCount > 0) await new Promise(setImmediate);
    clock.advance(2000);
    assert.equal(rig.source.sink, undefined);
    assert.equal(clock.pending, 0);
    await rig.close();
  });
});

it('a fault in telling sound from silence takes no sound away', async () => {
  const errors: OrgoError[] = [];
  const rig = await ServerRig.open({ onError: (error) => errors.push(error) });
  mock.method(SoundDetector.prototype, 'push', () => {
    throw new RangeError('no such sample');
  });
  const client = await rig.listen();
  for (let i = 0; i < 3; i++) rig.source.give(FRAME);
  await client.until(() => client.binaries.length === 3);
  assert.equal(errors.length, 1);
  await rig.close();
});

it('a source that throws when it starts is a capture that can not be had', async () => {
  const clock = new FakeClock();
  const source = new ManualSource();
  mock.method(source, 'start', () => {
    throw new Error('no such driver');
  });
  const rig = await ServerRig.open({ clock }, source);
  const client = await rig.listen();
  clock.advance(3000);
  assert.equal((await client.untilClosed()).code, 4500);
  await rig.close();
});

describe('gaps of any size in what a flow feeds', () => {
  for (const gap of [1e300, Infinity, 2 ** 53, 2 ** 60 + 0.5, 0.25, NaN, -5]) {
    it(`${gap}: every format goes on`, async () => {
      const clock = new FakeClock();
      const source = new FlowSource(clock);
      const errors: OrgoError[] = [];
      const rig = await ServerRig.open({ onError: (error) => errors.push(error) }, source as never);
      const clients = await Promise.all(
        ['', '&sample_rate=48000&clock=1', '&sample_rate=44100&channels=2'].map((query) => rig.listen(query)),
      );
      const push = (size: number, of: number): void => {
        const data = ramp(WIRE_DEFAULT, of * FRAME, FRAME);
        const frame: PcmFrame = {
          ...{ format: WIRE_DEFAULT, data, samples: FRAME },
          ...{ position: 0, time: 1_700_000_000_000, gap: size, latencyMs: 0 },
        };
        source.push(frame, true);
      };
      for (let i = 0; i < 5; i++) push(0, i);
      for (let i = 0; i < 5; i++) push(gap, i);
      for (let i = 0; i < 5; i++) push(0, i);
      for (const client of clients) await client.until(() => client.binaries.length >= 14);
      assert.deepEqual(errors, []);
      const last = clients[1]?.messages.filter(({ type }) => type === 'clock').at(-1);
      assert.ok(Number.isSafeInteger(last?.['position']) && Number(last?.['dropped']) >= 0);
      await rig.close();
    });
  }
});
