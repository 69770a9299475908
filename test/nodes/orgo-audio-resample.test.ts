/** The node that resamples, as a flow sees it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import audioResample from '../../nodes/orgo-audio-resample/orgo-audio-resample';
import { Resampler } from '../../src/resample/resampler';
import { FakeClock } from './fake-clock';
import { FakeRed, type FakeNode } from './fake-red';
import { audioOf, counting, payloads, places, sound } from './shared/harness';

function resample(config: Record<string, unknown> = {}): { node: FakeNode; clock: FakeClock } {
  const clock = new FakeClock();
  const RED = new FakeRed();
  const dependencies = { clock, defer: setImmediate };
  audioResample(RED, dependencies);
  return { node: RED.create('orgo-audio-resample', config), clock };
}

/** Colour and text of the status line, as long as a status line may be. */
function shown(node: FakeNode): unknown[] {
  return [node.lastStatus?.fill, node.lastStatus?.text];
}

describe('sound that comes', () => {
  test('leaves as the settings ask for it, as what the resampler alone makes of it', async () => {
    const { node } = resample({ sampleRate: 48000, channels: 2, encoding: 'f32le', gainDb: -6, frameMs: 10 });
    for (let i = 0; i < 10; i++) await node.receive(sound(480, i * 480));
    await node.receive(sound(0, 4800, {}, { complete: true }));
    const alone = new Resampler({ sampleRate: 48000, channels: 2, encoding: 'f32le', gainDb: -6 });
    const format = { encoding: 's16le', sampleRate: 24000, channels: 1 } as const;
    const whole = { samples: 4800, position: 0, time: 5000, gap: 0, latencyMs: 0 };
    const expected = [...alone.push({ format, data: counting(4800), ...whole }), ...alone.flush()];
    const out = node.output(0);
    assert.deepEqual(payloads(out), Buffer.concat(expected.map(({ data }) => data)));
    assert.deepEqual([...new Set(out.map((msg) => audioOf(msg).samples))], [480]);
    assert.equal(out.length, 20);
    const { encoding, sampleRate, channels, latencyMs, time } = audioOf(out[1]!);
    assert.deepEqual([encoding, sampleRate, channels, time], ['f32le', 48000, 2, 5010]);
    assert.equal(latencyMs, alone.delayMs);
    assert.equal(out.at(-1)!['complete'], true);
  });

  test('stays as it is where no setting says otherwise, in the very same memory', async () => {
    const { node } = resample({ sampleRate: '', channels: '', encoding: '' });
    const msg = sound(480);
    await node.receive(msg);
    assert.equal(node.output(0)[0]!.payload, msg.payload);
  });

  test('tells of gaps at the rate of the output', async () => {
    const { node } = resample({ sampleRate: 48000 });
    await node.receive(sound(480));
    await node.receive(sound(480, 500, { gap: 20 }));
    const out = node.output(0);
    const behind = out.find((msg) => audioOf(msg).gap > 0)!;
    assert.deepEqual([audioOf(behind).position, audioOf(behind).gap], [1000, 40]);
    const before = out.slice(0, out.indexOf(behind)).reduce((sum, msg) => sum + audioOf(msg).samples, 0);
    assert.equal(before, 960);
  });

  test('in one Buffer of a minute leaves whole', async () => {
    const { node } = resample({ sampleRate: 16000 });
    await node.receive({ payload: Buffer.alloc(60 * 48000) });
    await node.receive({ reset: true });
    assert.equal(payloads(node.output(0)).length, 60 * 32000);
  });
});

describe('the settings', () => {
  test('may be text, as environment variables are', async () => {
    const { node } = resample({ sampleRate: '48000', channels: '2', gainDb: '0', frameMs: '0' });
    await node.receive(sound(4800));
    assert.deepEqual(
      [audioOf(node.output(0)[0]!).sampleRate, audioOf(node.output(0)[0]!).channels],
      [48000, 2],
    );
  });

  const wrong: [string, unknown, RegExp][] = [
    ['sampleRate', 7999, /sampleRate is 7999: it must be blank, or a whole number from 8000 to 192000/],
    ['sampleRate', '${RATE}', /RATE is not set/],
    ['sampleRate', 0, /sampleRate is 0/],
    ['sampleRate', 1e9, /sampleRate is 1000000000/],
    ['sampleRate', 'fast', /sampleRate is "fast"/],
    ['channels', 3, /channels is 3/],
    ['encoding', 'mp3', /encoding is "mp3"/],
    ['quality', 'live', /quality is "live"/],
    ['gainDb', 61, /gainDb is 61/],
    ['frameMs', 0.5, /frameMs is 0.5/],
    ['frameMs', -1, /frameMs is -1/],
    ['inputSampleRate', 1, /inputSampleRate is 1/],
  ];
  for (const [name, value, text] of wrong) {
    test(`are refused where ${name} is ${String(value)}: one error, red, and one for each message`, async () => {
      const { node } = resample({ [name]: value });
      assert.equal(node.errors.length, 1);
      assert.match(node.errors[0]!, text);
      assert.deepEqual(shown(node), ['red', 'bad-setting']);
      assert.match((await node.receive(sound(480)))!.message, text);
      assert.deepEqual(node.sent, []);
    });
  }
});

describe('the status', () => {
  test('shows the rates while sound passes, at most four times a second', async () => {
    const { node, clock } = resample({ sampleRate: 48000 });
    assert.equal(shown(node)[1], 'idle');
    for (let i = 0; i < 30; i++) {
      await node.receive(sound(480, i * 480, { sampleRate: i % 2 === 0 ? 24000 : 16000 }));
      clock.advance(33);
    }
    assert(node.statuses.length <= 5, `${node.statuses.length}`);
    await node.receive(sound(480, 14400));
    clock.advance(1000);
    assert.deepEqual(shown(node), ['green', 'rates {"from":2400…']);
    await node.receive(sound(480, 14880, {}, { complete: true }));
    clock.advance(1000);
    assert.equal(shown(node)[1], 'idle');
  });

  test('counts streams where there are several', async () => {
    const { node, clock } = resample({ sampleRate: 48000 });
    for (const stream of ['a', 'b', 'c']) await node.receive(sound(480, 0, { stream }));
    clock.advance(1000);
    assert.equal(shown(node)[1], 'streams {"count":3}');
  });

  test('counts what was clipped', async () => {
    const { node, clock } = resample({ gainDb: 60 });
    await node.receive(sound(480));
    clock.advance(1000);
    assert.deepEqual(shown(node), ['yellow', 'clipped {"count":4…']);
  });

  test('tells of input that can not be taken, until the next that can', async () => {
    const { node, clock } = resample({});
    assert(await node.receive({ payload: 'text' }));
    clock.advance(1000);
    assert.deepEqual(shown(node), ['red', 'bad-input']);
    await node.receive(sound(480));
    clock.advance(1000);
    assert.deepEqual(shown(node), ['green', 'rates {"from":2400…']);
    assert(await node.receive({ payload: 'text' }));
    clock.advance(1000);
    await node.receive(sound(480, 480));
    clock.advance(1000);
    assert.deepEqual(shown(node), ['green', 'rates {"from":2400…']);
  });

  test('and the timers go with the node', async () => {
    const { node, clock } = resample({ sampleRate: 48000 });
    await node.receive(sound(480));
    await node.close();
    assert.equal(clock.pending, 0);
    assert.deepEqual(node.lastStatus, {});
    assert.deepEqual(places(node.output(0)).at(-1)?.[1], audioOf(node.output(0).at(-1)!).position);
    assert.equal(payloads(node.output(0)).length, 960 * 2);
  });
});

test('NaN and ±Inf in f32 come out as numbers', async () => {
  const { node } = resample({ sampleRate: 48000, encoding: 's16le' });
  const payload = Buffer.alloc(4800 * 4);
  [NaN, Infinity, -Infinity].forEach((value, i) => payload.writeFloatLE(value, i * 400));
  assert.equal(
    await node.receive({ ...sound(0, 0, { encoding: 'f32le' }), payload, complete: true }),
    undefined,
  );
  assert.equal(payloads(node.output(0)).length, 9600 * 2);
});
