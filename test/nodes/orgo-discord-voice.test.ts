/** The node that speaks in Discord, with a relay process that tells what it was given. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, describe, it } from 'node:test';
import register from '../../nodes/orgo-discord-voice/orgo-discord-voice';
import type { Message } from '../../nodes/shared/red';
import type { RelayFailure } from '../../src/discord/relay-messages';
import type { RelayProgram } from '../../src/discord/relay';
import { wavHeader } from '../../src/containers/wav-header';
import { systemClock } from '../../src/audio/clock';
import { fakeRelay } from '../discord/support/fake-relay';
import { FakeRed, type FakeNode } from './fake-red';

const TYPE = 'orgo-discord-voice';
const TOKEN = 'MTIz.a-bot.of-a-test';
const GUILD = '100000000000000001';
const CHANNEL = '200000000000000001';
const OTHER = '200000000000000002';
/** CELT, full band, 20 ms, stereo, one frame. */
const OPUS = Buffer.concat([Buffer.from([0xfc]), Buffer.alloc(80, 7)]);

const opened: FakeNode[] = [];

interface Options extends Record<string, unknown> {
  program?: RelayProgram;
  /** What a millisecond of a timer is made: less, where what comes every 10 s is to be seen. */
  timersMs?: number;
}

/** A node; its status is not held back by the four a second that an editor gets. */
function create(
  { program = fakeRelay(), token = TOKEN, timersMs = 1, ...config }: Options = {},
  RED = new FakeRed(),
): FakeNode {
  let asked = 0;
  const clock = {
    ...systemClock,
    now: () => systemClock.now() + 1000 * asked++,
    after: (ms: number, fn: () => void) => systemClock.after(ms * timersMs, fn),
  };
  register(RED, { clock, defer: (fn) => void setImmediate(fn), program });
  const node = RED.create(TYPE, { guildId: GUILD, channelId: CHANNEL, ...config }, { token });
  opened.push(node);
  return node;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((node) => node.close()));
});

async function untilStatus(node: FakeNode, text: string): Promise<void> {
  while (node.lastStatus?.text !== text) await once(node, 'status');
}

function event(node: FakeNode, name: string): Promise<Message> {
  return node.until(0, ({ payload }) => (payload as { event: string }).event === name);
}

function pcm(ms: number, time?: number): Message {
  const audio = { encoding: 's16le', sampleRate: 48000, channels: 1, ...(time !== undefined && { time }) };
  return { payload: Buffer.alloc(96 * ms), audio };
}

describe(TYPE, () => {
  it('joins, says that it is encrypted, moves and leaves as told, and joins again', async () => {
    const node = create({ name: 'Voice' });
    await untilStatus(node, 'encrypted');
    assert.equal(node.lastStatus?.fill, 'green');
    assert.deepEqual(await event(node, 'ready'), {
      topic: 'Voice',
      payload: { event: 'ready', channelId: CHANNEL, encrypted: true },
    });
    assert.equal(await node.receive({ channelId: OTHER }), undefined);
    assert.deepEqual((await event(node, 'moved')).payload, { event: 'moved', from: CHANNEL, to: OTHER });
    assert.equal(await node.receive({ action: 'leave' }), undefined);
    assert.deepEqual((await event(node, 'left')).payload, { event: 'left', channelId: OTHER });
    await untilStatus(node, 'left');
    assert.equal(await node.receive({ action: 'join' }), undefined);
    await untilStatus(node, 'encrypted');
    assert.deepEqual(node.errors, []);
  });

  for (const [encryption, text, fill] of [
    ['none', 'ready', 'green'],
    ['waiting', 'securing', 'yellow'],
  ] as const) {
    it(`shows ${text} where encryption is ${encryption}`, async () => {
      const node = create({ program: fakeRelay({ encryption }) });
      await untilStatus(node, text);
      assert.equal(node.lastStatus?.fill, fill);
    });
  }

  for (const [code, then, text] of [
    ['ORGO_BAD_TOKEN', 'retry', 'bad-token'],
    ['ORGO_DISCORD_NO_CHANNEL', 'retry', 'no-channel'],
    ['ORGO_DISCORD_FORBIDDEN', 'retry', 'forbidden'],
    ['ORGO_DISCORD_UNAVAILABLE', 'never', 'unavailable'],
    ['ORGO_DISCORD_FAILED', 'retry', 'failed'],
    ['ORGO_DISCORD_FAILED', 'out', 'kicked'],
  ] as const) {
    it(`shows ${text} in red, reports it once, and answers a recording with it`, async () => {
      const failure: RelayFailure = { code, then, text: `What happened: ${text}` };
      const node = create({ program: fakeRelay({ failure }) });
      await untilStatus(node, text);
      assert.equal(node.lastStatus?.fill, 'red');
      assert.deepEqual(node.errors, [failure.text]);
      const refusal = await node.receive(pcm(40));
      assert.match(refusal?.message ?? '', new RegExp(failure.text));
      assert.equal(await node.receive(pcm(40, Date.now())), undefined, 'live sound is dropped silently');
    });
  }

  it('speaks Opus packets as they come, PCM of any rate and WAV files, and tells every 10 s how that goes', async () => {
    const node = create({ timersMs: 0.02 });
    await untilStatus(node, 'encrypted');
    const audio = { encoding: 'opus', sampleRate: 48000, channels: 2, samples: 960, time: Date.now() };
    for (let i = 0; i < 5; i++) assert.equal(await node.receive({ payload: OPUS, audio }), undefined);
    const mono = { encoding: 'f32le', sampleRate: 16000, channels: 1 };
    assert.equal(
      await node.receive({ payload: Buffer.alloc(64_000), audio: mono, complete: true }),
      undefined,
    );
    const format = { encoding: 's16le', sampleRate: 24000, channels: 1 } as const;
    const wav = Buffer.concat([wavHeader(format, 48_000), Buffer.alloc(48_000)]);
    assert.equal(await node.receive({ payload: wav, topic: 'file' }), undefined);
    const { payload } = await node.until(0, (msg) => {
      const { event, sent, recordingMs, skipped } = msg.payload as Record<string, number | string>;
      // The encoder's delay takes a packet more or less.
      return event === 'stats' && sent === 5 && Math.abs(Number(recordingMs) - 2000) <= 80 && skipped === 2;
    });
    assert.equal((payload as { starts: number }).starts, 1);
    assert.deepEqual(node.errors, []);
  });

  it('says that another node speaks as the same bot in the same server', async () => {
    const RED = new FakeRed();
    const first = create({}, RED);
    await untilStatus(first, 'encrypted');
    const second = create({ channelId: OTHER }, RED);
    await untilStatus(second, 'in-use');
    assert.match(second.errors[0] ?? '', /same bot/);
    const elsewhere = create({ guildId: '100000000000000002' }, RED);
    await untilStatus(elsewhere, 'encrypted');
    assert.equal(first.lastStatus?.text, 'encrypted');
  });

  it('refuses what it can not take, in words, and goes on', async () => {
    const node = create();
    await untilStatus(node, 'encrypted');
    const opus = { encoding: 'opus', sampleRate: 48000, channels: 2, time: Date.now() };
    for (const [msg, wanted] of [
      [{ payload: 'text' }, /a Buffer of sound is wanted/],
      [{ action: 'shout' }, /msg\.action .* join or leave/],
      [{ channelId: 200000000000000001n }, /msg\.channelId/],
      [{ channelId: 'general' }, /17 to 20 digits/],
      [{ payload: Buffer.alloc(10), audio: { encoding: 'mp3', sampleRate: 48000, channels: 2 } }, /mp3/],
      [{ payload: Buffer.from([0xff, 0x00]), audio: opus }, /./],
    ] as const) {
      const error = await node.receive(msg);
      assert.match(error?.message ?? 'taken', wanted);
      assert.equal((error as { code?: string } | undefined)?.code?.startsWith('ORGO_'), true);
    }
    assert.equal(node.lastStatus?.text, 'encrypted');
    assert.equal(await node.receive(pcm(20, Date.now())), undefined);
  });

  it('encodes a long recording bit by bit, so that nothing else waits', async () => {
    const node = create();
    await untilStatus(node, 'encrypted');
    const audio = { encoding: 's16le', sampleRate: 48000, channels: 1 };
    let done = false;
    const taken = node.receive({ payload: Buffer.alloc(96_000 * 2), audio }).then((error) => {
      done = true;
      return error;
    });
    let turns = 0;
    for (; !done; turns++) await new Promise((resolve) => void setImmediate(resolve));
    assert.equal(await taken, undefined);
    assert.ok(turns > 10, `${turns} turns of the event loop`);
  });

  it('is red without a token, and answers with why', async () => {
    const node = create({ token: '' });
    assert.deepEqual(node.lastStatus, { fill: 'red', shape: 'ring', text: 'no-token' });
    assert.equal(node.errors.length, 1);
    assert.match((await node.receive(pcm(20)))?.message ?? '', /token/);
  });

  it('is red where an id is missing or is none', () => {
    for (const config of [{ guildId: undefined }, { channelId: '' }, { channelId: 'general' }]) {
      const node = create(config);
      assert.equal(node.lastStatus?.text, 'bad-setting');
      assert.match(node.errors[0] ?? '', /^(guildId|channelId) is .*Copy ID/);
    }
  });

  it('can be closed while it joins', async () => {
    const node = create();
    await node.close();
    assert.deepEqual(node.lastStatus, {});
    assert.deepEqual(node.errors, []);
  });
});
