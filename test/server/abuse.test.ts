import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { ramp, WIRE_DEFAULT } from '../support/manual-source';
import { PASSWORD, ServerRig } from '../support/server-rig';

const FRAME = 480;
const UPGRADE = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;

/** A listener here shares its process with those who abuse the server: what it may be behind is not the matter. */
const MAX_BACKLOG_MS = 600_000;

async function withRig(body: (rig: ServerRig) => Promise<void>): Promise<void> {
  const rig = await ServerRig.open({ maxBacklogMs: MAX_BACKLOG_MS });
  try {
    await body(rig);
  } finally {
    await rig.close();
  }
}

async function raw(rig: ServerRig, text: string): Promise<Socket> {
  const socket = connect(rig.port.port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** A listener hears every frame while `others` are at it. */
async function undisturbed(rig: ServerRig, others: () => Promise<void>): Promise<void> {
  const client = await rig.listen();
  let given = 0;
  const give = (): void => {
    rig.source.give(FRAME);
    given++;
  };
  const timer = setInterval(give, 5);
  await others();
  clearInterval(timer);
  // Two at least: the first frame waits for the second.
  give();
  give();
  await client.until(() => client.binaries.length === given);
  assert.deepEqual(client.pcm, ramp(WIRE_DEFAULT, 0, given * FRAME));
}

describe('what clients may do without harm', () => {
  it('a thousand connect and cut, at every stage of the handshake', () =>
    withRig(async (rig) => {
      const texts = [
        '',
        'GET /aud',
        UPGRADE('/audio'),
        UPGRADE(`/audio?token=${PASSWORD}`),
        '\u0000\u0001\r\n\r\n',
      ];
      await undisturbed(rig, async () => {
        for (let i = 0; i < 1000; i += 100) {
          const sockets = await Promise.all(
            Array.from({ length: 100 }, (_, n) => raw(rig, texts[n % 5] ?? '')),
          );
          for (const socket of sockets) socket.resetAndDestroy();
        }
      });
      while (rig.audio.listenerCount > 1) await new Promise(setImmediate);
    }));

  it('handshakes that are never finished are cut off, and hold up nobody', () =>
    withRig(async (rig) => {
      await undisturbed(rig, async () => {
        const sockets = await Promise.all(
          Array.from({ length: 200 }, () => raw(rig, 'GET /audio HTTP/1.1\r\nHos')),
        );
        await rig.listen();
        for (const socket of sockets) socket.destroy();
      });
    }));

  it('a frame that is no WebSocket frame ends its own connection alone', () =>
    withRig(async (rig) => {
      await undisturbed(rig, async () => {
        const socket = await raw(rig, UPGRADE(`/audio?token=${PASSWORD}`));
        socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
        await once(socket.resume(), 'close');
      });
    }));
});

describe('StandaloneListener', () => {
  it('says plainly that a port is taken, or that an address is not of this machine', () =>
    withRig(async (rig) => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const open = (host: string, wanted: number): Promise<StandaloneListener> =>
        StandaloneListener.open(rig.audio, { host, port: wanted, maxConnections: 10 });
      await assert.rejects(open('127.0.0.1', port), {
        code: 'ORGO_CANNOT_LISTEN',
        message: `127.0.0.1:${port} is taken by another program or node: choose another port`,
      });
      await assert.rejects(open('192.0.2.1', 0), { code: 'ORGO_CANNOT_LISTEN', message: /192\.0\.2\.1/ });
      other.close();
    }));

  it('leaves nothing behind when it is closed', async () => {
    const rig = await ServerRig.open();
    const [client, guesser] = [await rig.listen(), rig.connect('token=wrong')];
    const halfOpen = await raw(rig, 'GET /');
    await guesser.untilClosed();
    await rig.close();
    assert.equal((await client.untilClosed()).code, 1001);
    await once(halfOpen.resume(), 'close');
    assert.equal(rig.source.sink, undefined);
    await assert.rejects(once(connect(rig.port.port, '127.0.0.1'), 'connect'), /ECONNREFUSED/);
  });
});
