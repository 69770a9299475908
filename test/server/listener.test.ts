import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe } from 'node:test';
import { FakeClock } from '../nodes/fake-clock';
import { ramp, rampValue, WIRE_DEFAULT } from '../support/manual-source';
import { PASSWORD, ServerRig, type TestClient } from '../support/server-rig';
import { it } from '../support/hang-guard';

const FRAME = 480;
const FRAME_BYTES = 960;
const MAX_BACKLOG_MS = 500;

interface Scene {
  readonly rig: ServerRig;
  readonly clock: FakeClock;
  /** Lets `ms` of sound pass; the event loop turns between frames, so that what can be read is read. */
  readonly play: (ms: number) => Promise<void>;
}

async function scene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = new FakeClock();
  const rig = await ServerRig.open({ clock, maxBacklogMs: MAX_BACKLOG_MS });
  const play = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 20) {
      rig.source.give(FRAME);
      clock.advance(20);
      for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    }
  };
  try {
    await body({ rig, clock, play });
  } finally {
    const closed = rig.close();
    // Where a test failed, a listener that no longer reads is still there: it is cut off now.
    clock.advance(1000);
    await closed;
  }
}

/** How many frames `client` got after what it had; waits until nothing more is under way. */
async function untilQuiet(client: TestClient): Promise<void> {
  client.send({ type: 'ping' });
  const pongs = client.texts.filter((text) => text === '{"type":"pong"}').length;
  await client.until(() => client.texts.filter((text) => text === '{"type":"pong"}').length > pongs);
}

describe('a listener that does not keep up', () => {
  it('loses the oldest sound beyond its backlog, is told how much, and disturbs nobody', () =>
    scene(async ({ rig, play }) => {
      const slow = await rig.listen('&clock=1');
      const other = await rig.listen();
      await play(1000);
      await slow.until(() => slow.binaries.length === 50);
      slow.webSocket.pause();
      await play(60_000);
      const stats = rig.audio.takeStats();
      assert.ok(stats.backlogMs <= MAX_BACKLOG_MS, `${stats.backlogMs} ms wait`);
      assert.ok(stats.backlogMs > MAX_BACKLOG_MS - 40, `${stats.backlogMs} ms wait`);
      await other.until(() => other.binaries.length === 3050);
      assert.deepEqual(other.pcm, ramp(WIRE_DEFAULT, 0, 3050 * FRAME));

      slow.webSocket.resume();
      await untilQuiet(slow);
      await play(1000);
      await untilQuiet(slow);
      const dropped = stats.dropped + rig.audio.takeStats().dropped;
      const drop = slow.messages.find(({ dropped }) => Number(dropped) > 0);
      assert.equal(Number(drop?.['dropped']) / FRAME, dropped, 'the hole is told to the sample');
      assert.equal(slow.binaries.length + dropped, 3100, 'every frame was sent or counted');
      const sentBeforeTheHole = (Number(drop?.['position']) - Number(drop?.['dropped'])) / FRAME;
      assert.ok(
        sentBeforeTheHole < 50 + 50,
        `${sentBeforeTheHole} frames had left before the stall was noticed`,
      );
      assert.equal(
        slow.binaries[sentBeforeTheHole]?.readInt16LE(0),
        rampValue(Number(drop?.['position'])),
        'whole frames were dropped, the oldest first',
      );
      assert.equal(slow.binaries.at(-1)?.readInt16LE(0), rampValue(3099 * FRAME), 'and it is live again');
    }));

  it('is let go when it has read nothing for 90 s', () =>
    scene(async ({ rig, play }) => {
      const gone = await rig.listen();
      await play(1000);
      gone.webSocket.pause();
      await play(92_000);
      assert.equal(rig.audio.listenerCount, 0);
      gone.webSocket.terminate();
    }));

  it('costs no memory when it never reads from the beginning', () =>
    scene(async ({ rig, play }) => {
      const socket = connect(rig.port.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.pause();
      const key = Buffer.alloc(16).toString('base64');
      socket.write(
        `GET /audio?token=${PASSWORD}&sample_rate=48000&channels=2 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n` +
          `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
      );
      while (rig.audio.listenerCount === 0) await new Promise(setImmediate);
      await play(60_000);
      assert.ok(rig.audio.takeStats().backlogMs <= MAX_BACKLOG_MS);
      socket.destroy();
    }));
});

describe('a listener while no frames flow', () => {
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  };

  it('is asked every 30 s, and stays for as long as it answers', () =>
    scene(async ({ rig, clock }) => {
      const client = await rig.listen();
      let pings = 0;
      client.webSocket.on('ping', () => pings++);
      for (let minute = 0; minute < 10; minute++) {
        clock.advance(30_000);
        await turns();
        clock.advance(30_000);
        await turns();
      }
      await untilQuiet(client);
      assert.equal(pings, 20);
      assert.equal(rig.audio.listenerCount, 1);
    }));

  it('is let go 90 s after its last sign of life', () =>
    scene(async ({ rig, clock }) => {
      const client = await rig.listen();
      clock.advance(45_000);
      client.send({ type: 'ping' });
      await client.until(() => client.texts.length === 1);
      client.webSocket.pause();
      clock.advance(89_000);
      await turns();
      assert.ok(!rig.events.some(({ event }) => event === 'listener-left'));
      clock.advance(2000);
      await turns();
      assert.equal(rig.audio.listenerCount, 0, 'it keeps its place though it is gone');
      assert.equal(rig.events.at(-1)?.event, 'listener-left');
      client.webSocket.terminate();
    }));

  it('is let go though frames flowed before', () =>
    scene(async ({ rig, clock, play }) => {
      const client = await rig.listen();
      await play(1000);
      client.webSocket.pause();
      clock.advance(95_000);
      await turns();
      assert.equal(rig.audio.listenerCount, 0, 'it keeps its place though it is gone');
      assert.equal(rig.source.starts, 1);
      client.webSocket.terminate();
    }));

  it('leaves no timer behind', () =>
    scene(async ({ rig, clock }) => {
      const client = await rig.listen();
      client.webSocket.close();
      await client.untilClosed();
      while (rig.audio.listenerCount > 0) await new Promise(setImmediate);
      clock.advance(2000);
      assert.equal(clock.pending, 0);
    }));
});

describe('a listener that reads, but never all', () => {
  it('stays for as long as it answers', () =>
    scene(async ({ rig, play }) => {
      const slow = await rig.listen();
      await play(1000);
      for (let round = 0; round < 4; round++) {
        slow.webSocket.pause();
        await play(40_000);
        slow.send({ type: 'ping' });
        await new Promise(setImmediate);
      }
      assert.equal(rig.audio.listenerCount, 1);
      slow.webSocket.terminate();
    }));
});

describe('pings', () => {
  it('are answered by the WebSocket protocol too', () =>
    scene(async ({ rig }) => {
      const client = await rig.listen();
      client.webSocket.ping('hello');
      const [payload] = (await once(client.webSocket, 'pong')) as [Buffer];
      assert.equal(payload.toString(), 'hello');
    }));

  for (const kind of ['the protocol', 'WebSocket'] as const) {
    it(`of ${kind} that come faster than they are read end the connection with 1008`, () =>
      scene(async ({ rig, play }) => {
        const client = await rig.listen();
        client.webSocket.pause();
        // Sound fills what the system buffers.
        while (rig.audio.takeStats().backlogMs === 0) await play(1000);
        const flood = (): void => {
          for (let i = 0; i < 500; i++) {
            if (kind === 'WebSocket') client.webSocket.ping(Buffer.alloc(125));
            else client.send('{"type":"ping"}');
          }
        };
        flood();
        while (client.webSocket.bufferedAmount > 0) await new Promise(setImmediate);
        client.webSocket.resume();
        assert.equal((await client.untilClosed()).code, 1008);
      }));
  }
});

it('frames written past ws and ws own frames never mix', () =>
  scene(async ({ rig, play }) => {
    const client = await rig.listen();
    for (let i = 0; i < 200; i++) {
      client.send({ type: 'ping' });
      client.webSocket.ping();
      await play(20);
    }
    await client.until(() => client.binaries.length === 200);
    await untilQuiet(client);
    assert.ok(client.binaries.every(({ length }) => length === FRAME_BYTES));
    assert.deepEqual(client.pcm, ramp(WIRE_DEFAULT, 0, 200 * FRAME));
  }));
