import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import type { PcmFormat } from '../../src/audio/format';
import { FakeClock } from '../nodes/fake-clock';
import { channelOf, measureTone } from '../support/tone';
import { ManualSource, ramp, SOURCE_EPOCH, WIRE_DEFAULT } from '../support/manual-source';
import { ServerRig, type TestClient } from '../support/server-rig';
import { it } from '../support/hang-guard';

const FRAME = 480;
const RUNNING = { kind: 'running', device: 'manual', muted: false } as const;
const LOST = { kind: 'lost', error: new OrgoError('ORGO_NO_SOUND_SERVER', 'nothing answers') } as const;

interface Scene {
  readonly rig: ServerRig;
  readonly clock: FakeClock;
  readonly source: ManualSource;
}

async function scene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = new FakeClock();
  const source = new ManualSource();
  const rig = await ServerRig.open({ clock }, source);
  try {
    await body({ rig, clock, source });
  } finally {
    const closed = rig.close();
    clock.advance(60_000);
    await closed;
  }
}

/** The events that are not about listeners. */
function told(rig: ServerRig): string[] {
  return rig.events.map(({ event }) => event).filter((event) => !event.startsWith('listener'));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe('Broadcast: from one capture to the next', () => {
  it('carries nothing over, though a listener does not answer its closing', () =>
    scene(async ({ rig, source }) => {
      const deaf = await rig.listen('&clock=1');
      source.give(FRAME);
      source.give(FRAME + 100);
      await deaf.until(() => deaf.binaries.length === 2);
      deaf.webSocket.pause();
      rig.audio.stop();
      rig.audio.start();
      const fresh = await rig.listen('&clock=1');
      source.give(FRAME);
      source.give(FRAME);
      await fresh.until(() => fresh.binaries.length === 2);
      assert.deepEqual(fresh.pcm, ramp(WIRE_DEFAULT, 0, 2 * FRAME));
      assert.deepEqual(fresh.messages[1], { type: 'clock', position: 0, time: SOURCE_EPOCH, dropped: 0 });
      deaf.webSocket.terminate();
    }));

  it('ends sound with the capture, at the last sample of it', () =>
    scene(async ({ rig, source }) => {
      await rig.listen();
      source.give(1000);
      rig.audio.stop();
      const [started, stopped] = rig.events.flatMap((event) => ('place' in event ? [event] : []));
      assert.deepEqual(
        [started?.event, started?.place.position],
        ['sound-started', 3],
        'the ramp begins below −80 dBFS',
      );
      assert.deepEqual([stopped?.event, stopped?.place.position], ['sound-stopped', 1000]);
      assert.equal(stopped?.place.stream, started?.place.stream);
      rig.audio.start();
      await rig.listen();
      source.give(FRAME);
      const again = rig.events.flatMap((event) => ('place' in event ? [event] : [])).at(-1);
      assert.equal(again?.event, 'sound-started');
      assert.notEqual(again.place.stream, started?.place.stream, 'every start is a new stream');
    }));

  it('gives up 30 s after the loss, though it was tried to start in between', () =>
    scene(async ({ rig, clock, source }) => {
      const client = await rig.listen();
      source.give(FRAME);
      for (let passed = 0; passed < 30_000; passed += 5000) {
        source.state(LOST);
        source.state({ kind: 'starting' });
        source.state(LOST);
        clock.advance(5000);
      }
      assert.equal((await client.untilClosed()).code, 4500);
      assert.deepEqual(told(rig).slice(0, 3), ['capture-started', 'sound-started', 'capture-lost']);
      assert.equal(told(rig).filter((event) => event === 'capture-lost').length, 1);
    }));

  it('tells once that it is back, and nothing of a change that is none', () =>
    scene(async ({ rig, source }) => {
      await rig.listen();
      source.state({ ...RUNNING, muted: true });
      source.state({ kind: 'suspended', device: 'manual' });
      source.state(RUNNING);
      assert.deepEqual(told(rig), ['capture-started']);
      source.state(LOST);
      source.state({ kind: 'starting' });
      source.state({ kind: 'suspended', device: 'manual' });
      source.state(RUNNING);
      source.state(RUNNING);
      assert.deepEqual(told(rig), ['capture-started', 'capture-lost', 'capture-resumed']);
    }));

  it('keeps the capture for who comes back within 2 s', () =>
    scene(async ({ rig, clock, source }) => {
      const first = await rig.listen();
      first.webSocket.close();
      await until(() => rig.audio.listenerCount === 0);
      clock.advance(1999);
      await rig.listen();
      clock.advance(10_000);
      assert.equal(source.starts, 1);
      assert.ok(source.sink);
    }));

  it('leaves no timer and no listener behind when all have gone', () =>
    scene(async ({ rig, clock, source }) => {
      const clients = await Promise.all([rig.listen(), rig.listen('&channels=2'), rig.listen('&clock=1')]);
      source.give(FRAME);
      for (const client of clients) client.webSocket.terminate();
      await until(() => rig.audio.listenerCount === 0);
      clock.advance(2000);
      assert.equal(source.sink, undefined);
      assert.equal(clock.pending, 0);
      assert.equal(rig.audio.takeStats().ageMs, null);
    }));
});

/** Gives `ms` of 1 kHz at −6 dBFS, a little faster than it is taken, until `client` holds `frames`. */
async function giveTone(source: ManualSource, client: TestClient, frames: number): Promise<void> {
  const { sampleRate, channels } = source.format;
  const samples = sampleRate / 50;
  while (client.binaries.length < frames) {
    const data = Buffer.alloc(samples * channels * 2);
    for (let i = 0; i < samples; i++) {
      const value = 16384 * Math.sin((2 * Math.PI * 1000 * (source.position + i)) / sampleRate);
      for (let channel = 0; channel < channels; channel++) {
        data.writeInt16LE(Math.round(value), (i * channels + channel) * 2);
      }
    }
    source.sink?.onFrame({
      ...{ format: source.format, data, samples, position: source.position, gap: 0, latencyMs: 0 },
      time: SOURCE_EPOCH + (source.position * 1000) / sampleRate,
    });
    source.position += samples;
    await new Promise(setImmediate);
  }
}

describe('Broadcast: conversion', () => {
  const sources: PcmFormat[] = [
    { encoding: 's16le', sampleRate: 48000, channels: 2 },
    { encoding: 's16le', sampleRate: 44100, channels: 1 },
  ];
  for (const format of sources) {
    it(`serves a tone of ${format.sampleRate} Hz × ${format.channels} at every rate and channel count, as loud and as high`, async () => {
      const source = new ManualSource(format);
      const rig = await ServerRig.open({}, source);
      for (const rate of [8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000]) {
        for (const channels of [1, 2]) {
          const client = await rig.listen(`&sample_rate=${rate}&channels=${channels}`);
          await giveTone(source, client, 25);
          assert.deepEqual(client.messages[0], { type: 'started', sample_rate: rate, channels });
          assert.ok(client.binaries.every(({ length }) => length === (rate / 50) * channels * 2));
          for (let channel = 0; channel < channels; channel++) {
            const samples = channelOf(client.pcm, channels, channel);
            const settled = rate / 10;
            const place = `${rate} Hz, channel ${channel} of ${channels}`;
            const { amplitude } = measureTone(samples, { hz: 1000, sampleRate: rate }, settled);
            assert.ok(Math.abs(20 * Math.log10(amplitude / 0.5)) < 0.05, `${place}: ${amplitude}`);
            let energy = 0;
            for (const sample of samples.subarray(settled)) energy += sample * sample;
            const rms = Math.sqrt(energy / (samples.length - settled));
            const rest = Math.abs((rms * Math.SQRT2) / amplitude - 1);
            assert.ok(rest < 1e-3, `${place}: nothing but the tone, ${rest}`);
          }
          client.webSocket.close();
          await client.untilClosed();
        }
      }
      await rig.close();
    });
  }

  it('goes on without a hole where the format of the source changes', async () => {
    const source = new ManualSource(WIRE_DEFAULT);
    const rig = await ServerRig.open({}, source);
    const client = await rig.listen('&sample_rate=48000&clock=1');
    const give = (format: PcmFormat, position: number): void => {
      const samples = format.sampleRate / 50;
      const data = ramp(format, 0, samples);
      data.fill(1, 0);
      source.sink?.onFrame({ format, data, samples, position, time: SOURCE_EPOCH, gap: 0, latencyMs: 0 });
    };
    for (let i = 0; i < 10; i++) give(WIRE_DEFAULT, i * 480);
    for (let i = 10; i < 20; i++) give({ ...WIRE_DEFAULT, sampleRate: 48000, channels: 2 }, i * 960);
    for (let i = 20; i < 30; i++) give(WIRE_DEFAULT, i * 480);
    for (let i = 30; i < 32; i++) give({ ...WIRE_DEFAULT, sampleRate: 48000 }, i * 960);
    await client.until(() => client.binaries.length >= 31);
    const clocks = client.messages.filter(({ type }) => type === 'clock');
    assert.deepEqual(
      clocks.map(({ dropped }) => dropped),
      [0],
      'nothing is left out',
    );
    assert.equal(client.binaries.length, 32, 'and nothing is held back');
    await rig.close();
  });
});

it('who shuts down waits for no guesser: a 4401 that was put off is closed with 1001', async () => {
  const clock = new FakeClock();
  const rig = await ServerRig.open({ clock });
  for (let i = 0; i < 10; i++) await rig.connect('token=wrong').untilClosed();
  const [waiting, leaving] = [rig.connect('token=wrong'), rig.connect('token=wrong')];
  await Promise.all([once(waiting.webSocket, 'open'), once(leaving.webSocket, 'open')]);
  assert.equal(clock.pending, 2);
  leaving.webSocket.terminate();
  await until(() => clock.pending === 1);
  await rig.close();
  assert.equal((await waiting.untilClosed()).code, 1001);
  assert.equal(clock.pending, 0);
});
