import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import register from '../../nodes/orgo-audio-in/orgo-audio-in';
import registerComputer from '../../nodes/orgo-computer/orgo-computer';
import type { Message } from '../../nodes/shared/red';
import { FakeAudioServer, frameBytes, STARTED, type Caller } from '../client/rig';
import { FakeClock } from './fake-clock';
import { HostedOrgo } from '../support/hosted-orgo';
import { FakeRed, type FakeNode } from './fake-red';
import { it } from '../support/hang-guard';

const T = 1_763_842_000_000;

describe('orgo-audio-in', () => {
  let red: FakeRed;
  let clock: FakeClock;
  let server: FakeAudioServer;
  let nodes: FakeNode[];

  beforeEach(async () => {
    red = new FakeRed();
    clock = new FakeClock();
    nodes = [];
    let streams = 0;
    registerComputer(red);
    register(red, { clock, random: () => 0.5, newId: () => `stream-${++streams}` });
    server = await FakeAudioServer.listen();
    red.create(
      'orgo-computer',
      { id: 'pc', name: 'desk', audioUrl: server.url.href },
      { password: 'sesame' },
    );
  });
  afterEach(async () => {
    for (const node of nodes) await node.close();
    assert.equal(clock.pending, 0, 'a timer is left');
    await server.close();
  });

  function create(config: Record<string, unknown> = {}): FakeNode {
    const node = red.create('orgo-audio-in', { computer: 'pc', ...config });
    nodes.push(node);
    return node;
  }

  /** A node that hears its first frame. */
  async function hearing(config: Record<string, unknown> = {}): Promise<{ node: FakeNode; caller: Caller }> {
    const node = create(config);
    const caller = await server.caller();
    caller.socket.send(STARTED);
    caller.socket.send(`{"type":"clock","position":0,"time":${T},"dropped":0}`);
    caller.socket.send(frameBytes());
    await node.until(0, () => true);
    return { node, caller };
  }

  const event = (node: FakeNode, name: string): Promise<Message> =>
    node.until(1, ({ payload }) => (payload as { event: string }).event === name);

  it('sends sound as the contract describes it', async () => {
    const { node, caller } = await hearing();
    caller.socket.send(frameBytes(7));
    await node.until(0, () => node.output(0).length === 2);
    const [first, second] = node.output(0);
    assert.deepEqual(first, {
      topic: 'desk',
      payload: frameBytes(),
      audio: {
        encoding: 's16le',
        sampleRate: 24000,
        channels: 1,
        samples: 480,
        stream: 'stream-1',
        sequence: 0,
        position: 0,
        time: T,
        gap: 0,
        latencyMs: 0,
      },
    });
    assert.deepEqual(second?.audio, { ...(first.audio as object), sequence: 1, position: 480, time: T + 20 });
  });

  it('says that it is connected, and in which format', async () => {
    const { node } = await hearing({ sampleRate: '16000' });
    const { payload, audio } = await event(node, 'connected');
    assert.deepEqual(payload, {
      event: 'connected',
      encoding: 's16le',
      sampleRate: 24000,
      channels: 1,
      askedSampleRate: 16000,
      askedChannels: 1,
    });
    assert.equal((audio as { stream: string }).stream, 'stream-1');
    assert.match(node.warnings[0] ?? '', /24000 Hz mono s16le, but 16000 Hz mono s16le was asked for/);
  });

  it('asks for Opus and a frame length, and sends the packets as they come', async () => {
    const node = create({ codec: 'opus', frameMs: '40' });
    const caller = await server.caller();
    assert.match(caller.request.url ?? '', /&frame_ms=40&codec=opus$/);
    caller.socket.send(
      '{"type":"started","sample_rate":24000,"channels":1,"frame_ms":40,"codec":"opus","pre_skip":312}',
    );
    caller.socket.send(`{"type":"clock","position":0,"time":${T},"dropped":0}`);
    const packet = Buffer.of(0xf9, 0xff, 0xfe);
    caller.socket.send(packet);
    const { payload, audio } = await node.until(0, () => true);
    assert.deepEqual(payload, packet);
    assert.deepEqual(audio, {
      ...{ encoding: 'opus', sampleRate: 24000, channels: 1, samples: 960, stream: 'stream-1' },
      ...{ sequence: 0, position: 0, time: T, gap: 0, latencyMs: 0, preSkip: 312 },
    });
    clock.advance(250);
    assert.match(node.lastStatus?.text ?? '', /opus/);
    await node.receive({ action: 'disconnect' });
    const last = await node.until(0, (msg) => msg['complete'] === true);
    assert.deepEqual(last.payload, Buffer.alloc(0));
  });

  for (const [config, asked] of [
    [{}, ''],
    [{ frameMs: 20 }, ''],
    [{ frameMs: 0 }, ''],
    [{ frameMs: 30 }, ''],
    [{ frameMs: 5 }, '&frame_ms=5&codec=pcm'],
    [{ frameMs: 100 }, '&frame_ms=100&codec=pcm'],
    [{ frameMs: 5, sampleRate: 44100 }, ''],
    [{ codec: 'opus' }, '&frame_ms=20&codec=opus'],
    [{ codec: 'opus', frameMs: 100 }, '&frame_ms=20&codec=opus'],
    [{ codec: 'opus', frameMs: 0 }, '&frame_ms=20&codec=opus'],
  ] as const) {
    it(`asks for ${asked || 'nothing beyond the document'} with ${JSON.stringify(config)}`, async () => {
      create(config);
      const { request } = await server.caller();
      assert.equal((request.url ?? '').split('&clock=1')[1], asked);
    });
  }

  it('marks the end of the stream, and begins another when it connects again', async () => {
    const { node, caller } = await hearing();
    caller.socket.send(frameBytes(0, 100));
    caller.socket.close(1001);
    const last = await node.until(0, (msg) => msg['complete'] === true);
    assert.deepEqual(last.payload, frameBytes(0, 100));
    const { reason, position, sequence, samples } = last.audio as Record<string, unknown>;
    assert.deepEqual([reason, position, sequence, samples], ['disconnected', 480, 1, 100]);
    const { payload } = await event(node, 'disconnected');
    assert.deepEqual(payload, {
      event: 'disconnected',
      reason: 'disconnected',
      closeCode: 1001,
      code: 'ORGO_CONNECTION_FAILED',
      message: `The server at ${server.url.href} shuts down, or its computer stops`,
    });
    const { inMs } = (await event(node, 'reconnecting')).payload as { inMs: number };
    assert.equal(inMs, 250);
    clock.advance(inMs);
    const again = await server.caller();
    again.socket.send(STARTED);
    again.socket.send(frameBytes());
    const next = await node.until(0, ({ audio }) => (audio as { stream: string }).stream === 'stream-2');
    assert.equal((next.audio as { sequence: number }).sequence, 0);
    assert.equal((next.audio as { position: number }).position, 0);
  });

  it('tells of a gap, with its place', async () => {
    const { node, caller } = await hearing();
    caller.socket.send(`{"type":"clock","position":960,"time":${T + 40},"dropped":480}`);
    caller.socket.send(frameBytes());
    const { payload, audio } = await event(node, 'gap');
    assert.deepEqual(payload, { event: 'gap', samples: 480, filled: 480, durationMs: 20 });
    const { position, time } = audio as { position: number; time: number };
    assert.deepEqual([position, time], [480, T + 20]);
    await node.until(0, () => node.output(0).length === 3);
  });

  it('obeys connect, disconnect and status, and nothing else', async () => {
    const node = create({ autoStart: 'false' });
    assert.equal(node.lastStatus?.text, 'stopped');
    assert.equal(await node.receive({ action: 'status' }), undefined);
    assert.deepEqual((await event(node, 'status')).payload, {
      event: 'status',
      state: 'stopped',
      ageMs: null,
      clock: 'estimated',
    });
    assert.equal(await node.receive({ action: 'connect' }), undefined);
    const { socket, closed } = await server.caller();
    socket.send(STARTED);
    socket.send(frameBytes());
    await node.until(0, () => true);
    assert.equal(await node.receive({ action: 'connect' }), undefined, 'it is connected already');
    assert.equal(await node.receive({ action: 'disconnect' }), undefined);
    assert.equal(await closed, 1000);
    const last = node.output(0).at(-1);
    assert.equal(last?.['complete'], true);
    assert.deepEqual(last.payload, Buffer.alloc(0));
    assert.equal((last.audio as { reason: string }).reason, 'stopped');
    assert.equal(await node.receive({ action: 'disconnect' }), undefined);
    for (const action of ['reconnect', undefined, 7, null, { a: 1 }]) {
      const error = await node.receive({ action });
      assert.match(error?.message ?? '', /^msg\.action is .+: it must be connect, disconnect or status$/);
    }
  });

  it('says every 10 s how it fares', async () => {
    const { node } = await hearing();
    clock.epoch = T - clock.now() + 100;
    clock.advance(10_000);
    const { payload } = await event(node, 'stats');
    assert.deepEqual(payload, {
      event: 'stats',
      frames: 1,
      bytes: 960,
      gaps: 0,
      reconnects: 0,
      ageMs: 10_080,
      clock: 'server',
    });
    clock.advance(10_000);
    await node.until(1, () => node.output(1).length === 3);
    assert.equal((node.output(1)[2]?.payload as { frames: number }).frames, 0);
  });

  it('shows its state below it', async () => {
    const { node, caller } = await hearing();
    clock.advance(250);
    assert.deepEqual(node.lastStatus, { fill: 'green', shape: 'dot', text: 'mono {"rate":24000}' });
    clock.advance(250);
    caller.socket.close(4404);
    await event(node, 'reconnecting');
    assert.deepEqual(node.lastStatus, { fill: 'yellow', shape: 'ring', text: 'not-running' });
  });

  it('waits in red where its password is rejected, and reports it once', async () => {
    const node = create();
    (await server.caller()).socket.close(4401);
    const { payload } = await event(node, 'refused');
    assert.equal((payload as { code: string }).code, 'ORGO_BAD_TOKEN');
    clock.advance(250);
    assert.deepEqual(node.lastStatus, { fill: 'red', shape: 'ring', text: 'wrong-password' });
    assert.equal(node.errors.length, 1);
    assert.doesNotMatch(node.errors.join() + JSON.stringify(node.sent), /sesame/);
  });

  const waits: [string, (service: HostedOrgo) => void, { fill: string; text: string }][] = [
    [
      'a password that the computer rejects twice',
      ({ nextCloses }) => nextCloses.push({ code: 4401 }, { code: 4401 }),
      { fill: 'red', text: 'wrong-password' },
    ],
    [
      'a second factor',
      ({ nextCloses }) => nextCloses.push({ code: 4007 }),
      { fill: 'red', text: 'second-factor' },
    ],
    [
      'an address that is not believed',
      ({ computer }) => (computer.overrides = { connection_url: 'ftp://elsewhere' }),
      { fill: 'red', text: 'wrong-address' },
    ],
    [
      'a computer that starts',
      ({ computer }) => (computer.status = 'starting'),
      { fill: 'yellow', text: 'starting' },
    ],
    [
      'a computer that is stopped',
      ({ computer }) => (computer.status = 'stopped'),
      { fill: 'yellow', text: 'not-running' },
    ],
  ];
  for (const [what, arrange, look] of waits) {
    it(`shows ${look.text} in ${look.fill} while it waits for ${what}`, async () => {
      const service = await HostedOrgo.start();
      arrange(service);
      const { id: computerId } = service.computer;
      const { apiUrl, apiKey } = service;
      red.create('orgo-computer', { id: 'hosted', computerId, apiUrl }, { apiKey });
      const node = create({ computer: 'hosted' });
      await event(node, 'reconnecting');
      clock.advance(250);
      assert.deepEqual(node.lastStatus, { ...look, shape: 'ring' });
      assert.doesNotMatch(node.errors.join() + JSON.stringify(node.sent), new RegExp(apiKey));
      await node.close();
      await service.close();
    });
  }

  it('reports an error that lasts once', async () => {
    const node = create();
    for (let attempt = 1; attempt <= 4; attempt++) {
      (await server.caller()).socket.close(1013);
      await node.until(
        1,
        () => node.output(1).filter((msg) => JSON.stringify(msg).includes('reconnecting')).length === attempt,
      );
      clock.advance(30_000);
    }
    assert.equal(node.errors.length, 1);
    assert.match(node.errors[0] ?? '', /too many listeners/);
    (await server.caller()).socket.terminate();
    await node.until(1, () => node.errors.length === 2);
  });

  it('ends its stream when the node is closed, and leaves no socket', async () => {
    const { node, caller } = await hearing();
    await node.close();
    assert.equal(await caller.closed, 1000);
    assert.equal((node.output(0).at(-1)?.audio as { reason: string }).reason, 'closed');
    assert.deepEqual(node.lastStatus, {});
  });

  it('sends no end of a stream from which nothing came', async () => {
    const node = create();
    const { socket } = await server.caller();
    socket.send(STARTED);
    await event(node, 'connected');
    await node.receive({ action: 'disconnect' });
    await event(node, 'disconnected');
    assert.deepEqual(node.output(0), []);
  });

  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ computer: '' }, /No computer is chosen/],
    [{ computer: 'gone' }, /There is no computer gone/],
    [{ sampleRate: 11025 }, /sampleRate is 11025: it must be one of 8000, 12000/],
    [{ sampleRate: '${RATE}' }, /sampleRate is \$\{RATE\}, but the environment variable RATE is not set/],
    [{ channels: '3' }, /channels is "3": it must be one of 1, 2/],
    [{ frameMs: -1 }, /frameMs is -1: it must be a whole number from 0 to 5000/],
    [{ frameMs: 'abc' }, /frameMs is "abc"/],
    [{ autoStart: 'maybe' }, /autoStart is "maybe": it must be true or false/],
  ];
  for (const [config, text] of wrong) {
    it(`refuses ${JSON.stringify(config)} at deploy, and every message after it`, async () => {
      const node = create(config);
      assert.equal(node.errors.length, 1);
      assert.match(node.errors[0] ?? '', text);
      assert.equal(node.lastStatus?.fill, 'red');
      assert.match((await node.receive({ action: 'connect' }))?.message ?? '', text);
    });
  }

  it('tells what is wrong with its computer', () => {
    red.create('orgo-computer', { id: 'bad', computerId: '${ORGO_COMPUTER_ID}' }, { apiKey: 'k' });
    assert.match(
      create({ computer: 'bad' }).errors[0] ?? '',
      /computer can't be used: .*ORGO_COMPUTER_ID is not set/,
    );
  });
});
