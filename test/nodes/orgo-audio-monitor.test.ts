/** The monitor's node: what it keeps, what it saves, what it refuses. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import register from '../../nodes/orgo-audio-monitor/orgo-audio-monitor';
import type { Message } from '../../nodes/shared/red';
import { parseWavHeader, wavHeader } from '../../src/containers/wav-header';
import { OpusEncoder } from '../../src/opus/encoder';
import { pcm, sine } from '../monitor/support';
import { FakeClock } from './fake-clock';
import { FakeRed, type FakeNode } from './fake-red';
import { audioOf, counting, sound } from './shared/harness';

const TYPE = 'orgo-audio-monitor';

function create(config: Record<string, unknown> = {}): { node: FakeNode; clock: FakeClock } {
  const RED = new FakeRed();
  const clock = new FakeClock();
  register(RED, { clock, defer: (fn) => void setImmediate(fn) });
  return { node: RED.create(TYPE, config), clock };
}

/** What `save` sends. */
async function save(node: FakeNode, asked: Message = {}): Promise<Message> {
  const before = node.output(0).length;
  assert.equal(await node.receive({ action: 'save', ...asked }), undefined);
  const [saved, ...more] = node.output(0).slice(before);
  assert.ok(saved && more.length === 0, 'one message');
  return saved;
}

/** The samples of a saved message, and its header. */
function wavOf({ payload }: Message): { format: unknown; data: Buffer } {
  const wav = payload as Buffer;
  const header = parseWavHeader(wav);
  assert.ok(header);
  assert.equal(header.dataLength, wav.length - header.dataStart, 'a length that players believe');
  return { format: header.format, data: wav.subarray(header.dataStart) };
}

describe(TYPE, () => {
  it('lets nothing pass, and saves what came, with the time of its first sample', async () => {
    const { node } = create({ name: 'Wire' });
    for (let i = 0; i < 100; i++) assert.equal(await node.receive(sound(480, i * 480)), undefined);
    await node.receive(sound(480, 48_000, {}, { complete: true }));
    assert.deepEqual(node.sent, []);
    const saved = await save(node, { topic: 'alarm', seconds: 1, kept: 'along' });
    assert.deepEqual(wavOf(saved), {
      format: { encoding: 's16le', sampleRate: 24_000, channels: 1 },
      data: counting(24_000, 24_480),
    });
    const { encoding, samples, time } = audioOf(saved);
    assert.deepEqual([encoding, samples, time], ['wav', 24_000, 6020]);
    assert.deepEqual(
      [saved.topic, saved['kept'], saved.action, saved['seconds']],
      ['alarm', 'along', undefined, undefined],
    );
    assert.equal((await save(node)).topic, 'Wire');
  });

  it('keeps the last historySeconds, 30 of them by default', async () => {
    for (const [historySeconds, seconds] of [
      [undefined, 30],
      ['2', 2],
    ] as const) {
      const { node } = create({ historySeconds });
      for (let i = 0; i < 40; i++) await node.receive(sound(24_000, i * 24_000));
      assert.equal(audioOf(await save(node)).samples, seconds * 24_000);
    }
  });

  it('saves in the rate, channels and sample format of the wire, and decodes Opus', async () => {
    const { node } = create();
    const audio = { encoding: 'f32le', sampleRate: 44_100, channels: 2 };
    const payload = Buffer.alloc(8 * 441, 1);
    await node.receive({ payload, audio });
    assert.deepEqual(wavOf(await save(node)), { format: audio, data: payload });

    const wav = { encoding: 's16le', sampleRate: 16_000, channels: 1 } as const;
    await node.receive({ payload: Buffer.concat([wavHeader(wav, 100), Buffer.alloc(200, 3)]) });
    assert.deepEqual(wavOf(await save(node)), { format: wav, data: Buffer.alloc(200, 3) });

    for (const { data, position, samples, preSkip } of new OpusEncoder({}).push(
      pcm(24_000, sine(440, 0.5)),
    )) {
      const described = { encoding: 'opus', sampleRate: 24_000, channels: 1, position, samples, preSkip };
      assert.equal(await node.receive({ payload: data, audio: described }), undefined);
    }
    const { format, data } = wavOf(await save(node));
    assert.deepEqual(format, { encoding: 's16le', sampleRate: 24_000, channels: 1 });
    assert.ok(data.length > 44_000 && data.readInt16LE(24_000) !== 0, `${data.length} bytes`);
  });

  it('saves gaps as silence, also one that came without sound', async () => {
    const { node } = create();
    await node.receive(sound(480));
    await node.receive({ ...sound(0, 720, { gap: 240 }), payload: Buffer.alloc(0) });
    await node.receive(sound(480, 720, { gap: 0 }));
    const { data } = wavOf(await save(node));
    assert.deepEqual(data, Buffer.concat([counting(480), Buffer.alloc(480), counting(480, 720)]));
  });

  it('takes PCM without msg.audio by its own settings', async () => {
    const { node } = create({ inputSampleRate: 8000, inputChannels: 2 });
    await node.receive({ payload: Buffer.alloc(33, 1) });
    await node.receive({ payload: Buffer.alloc(31, 1) });
    const { format, data } = wavOf(await save(node));
    assert.deepEqual(format, { encoding: 's16le', sampleRate: 8000, channels: 2 });
    assert.equal(data.length, 64);
  });

  for (const [what, msg, wanted] of [
    ['a text', { payload: 'sound' }, /a Buffer of sound is wanted/],
    ['an unknown action', { action: 'shout' }, /msg\.action is the text "shout": it must be save/],
    ['an MP3', sound(480, 0, { encoding: 'mp3' }), /mp3/],
    [
      'no Opus',
      { payload: Buffer.from([0xff, 0]), audio: { encoding: 'opus', sampleRate: 48_000, channels: 1 } },
      /./,
    ],
    ['a gap in words', sound(480, 0, { gap: 'long' }), /msg\.audio\.gap/],
    [
      'seconds in words',
      { action: 'save', seconds: '5' },
      /msg\.seconds is the text "5": it must be a number above 0/,
    ],
    ['no seconds', { action: 'save', seconds: 0 }, /above 0/],
  ] as const) {
    it(`refuses ${what}, and goes on`, async () => {
      const { node } = create();
      await node.receive(sound(480));
      const error = await node.receive(msg);
      assert.match(error?.message ?? 'taken', wanted);
      assert.equal((error as { code?: string }).code, 'ORGO_BAD_INPUT');
      await node.receive(sound(480, 480));
      assert.deepEqual(wavOf(await save(node)).data, counting(960));
    });
  }

  it('says that there is nothing to save, and why', async () => {
    const empty = await create().node.receive({ action: 'save' });
    assert.match(empty?.message ?? '', /nothing to save: no sound has come/);
    const { node } = create({ historySeconds: 0 });
    await node.receive(sound(480));
    assert.match((await node.receive({ action: 'save' }))?.message ?? '', /historySeconds is 0/);
    assert.equal(create({ historySeconds: 601 }).node.lastStatus?.text, 'bad-setting');
  });

  it('shows the rate while sound comes, and leaves no timer behind', async () => {
    const { node, clock } = create();
    assert.match(node.lastStatus?.text ?? '', /^idle$/);
    clock.advance(1000);
    await node.receive(sound(480));
    assert.deepEqual([node.lastStatus?.fill, node.lastStatus?.text], ['green', 'sound {"rate":2400…']);
    clock.advance(5000);
    assert.match(node.lastStatus?.text ?? '', /^idle$/);
    clock.advance(1000);
    await node.receive({ payload: 7 });
    assert.match(node.lastStatus?.text ?? '', /^bad-input$/);
    clock.advance(70_000);
    assert.equal(clock.pending, 0, 'a stream that is over is forgotten');
    await node.receive(sound(480));
    await node.close();
    assert.equal(clock.pending, 1, 'the list of monitors, which is on its way to the editors');
  });
});
