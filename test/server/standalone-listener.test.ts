import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { AudioServer } from '../../src/server/audio-server';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { selfSigned } from '../client/certificate';
import { ManualSource, ramp, WIRE_DEFAULT } from '../support/manual-source';
import { describeWith, needs } from '../support/needs';
import { PASSWORD, TestClient } from '../support/server-rig';
import { it } from '../support/hang-guard';

const UPGRADE = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;

interface Scene {
  readonly port: StandaloneListener;
  readonly audio: AudioServer;
  readonly source: ManualSource;
}

async function scene(
  body: (scene: Scene) => Promise<void>,
  tls?: ReturnType<typeof selfSigned>,
): Promise<void> {
  const source = new ManualSource();
  const audio = new AudioServer({ source, password: PASSWORD });
  const port = await StandaloneListener.open(audio, { host: '127.0.0.1', port: 0, tls, maxConnections: 100 });
  await body({ port, audio, source });
  await audio.close();
  await port.close();
}

/** Resolves when the other side has ended the connection, in whatever way. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket
      .on('end', () => socket.end())
      .on('close', () => resolve())
      .resume();
  });
}

/** A connection that never ends its own side. */
async function halfOpen({ port }: Scene): Promise<Socket> {
  const socket = connect({ port: port.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

describe('StandaloneListener', () => {
  it('closes though who was refused an upgrade keeps its side open', () =>
    scene(async (at) => {
      const socket = await halfOpen(at);
      socket.write(UPGRADE('/nowhere'));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 404 Not Found\r\n/);
      await once(socket, 'end');
    }));

  it('lets go of who was refused an upgrade at once', () =>
    scene(async (at) => {
      const socket = await halfOpen(at);
      socket.write(UPGRADE('/nowhere'));
      await once(socket.resume(), 'end');
      const gone = ended(socket);
      // Who writes to a connection that is gone is reset.
      while (!socket.destroyed) {
        socket.write('x');
        await new Promise(setImmediate);
      }
      await gone;
    }));

  it('closes though connections say nothing, or stop in the middle', () =>
    scene(async (at) => {
      const [silent, begun] = [await halfOpen(at), await halfOpen(at)];
      begun.write('GET /audio HTTP/1.1\r\nHo');
      const gone = Promise.all([ended(silent), ended(begun)]);
      await at.port.close();
      await gone;
    }));

  it('closes though the closing of a listener is not answered', () =>
    scene(async (at) => {
      const socket = await halfOpen(at);
      socket.write(UPGRADE(`/audio?token=${PASSWORD}`));
      await once(socket.resume(), 'data');
    }));

  it('lives through a connection that it can not accept', () =>
    scene(async ({ port }) => {
      const { server } = port as unknown as { server: NodeJS.EventEmitter };
      for (let i = 0; i < 2; i++) server.emit('error', new Error('accept EMFILE'));
      const client = new TestClient(`ws://127.0.0.1:${port.port}/audio?token=${PASSWORD}`);
      await once(client.webSocket, 'open');
      client.webSocket.close();
      await client.untilClosed();
    }));
});

describeWith(needs('openssl'), 'StandaloneListener with TLS', ({ test: it, before }) => {
  let certificate: ReturnType<typeof selfSigned>;
  let trusting: { ca: Buffer };
  before(() => {
    certificate = selfSigned();
    trusting = { ca: certificate.cert };
  });

  it('serves wss, and https beside it', () =>
    scene(async ({ port, source }) => {
      const client = new TestClient(`wss://127.0.0.1:${port.port}/audio?token=${PASSWORD}`, trusting);
      await once(client.webSocket, 'open');
      for (let i = 0; i < 3; i++) source.give(480);
      await client.until(() => client.binaries.length === 3);
      assert.deepEqual(client.pcm, ramp(WIRE_DEFAULT, 0, 1440));
      client.webSocket.close();
      await client.untilClosed();
    }, certificate));

  it('sends all frames that are made in one turn, without waiting for a next one', () =>
    scene(async ({ port, source }) => {
      const client = new TestClient(`wss://127.0.0.1:${port.port}/audio?token=${PASSWORD}`, trusting);
      await once(client.webSocket, 'open');
      source.give(480 * 5);
      await client.until(() => client.binaries.length === 5);
      source.give(480 * 5);
      await client.until(() => client.binaries.length === 10);
      assert.deepEqual(client.pcm, ramp(WIRE_DEFAULT, 0, 4800));
      client.webSocket.close();
      await client.untilClosed();
    }, certificate));

  it('closes though handshakes are under way, and connections stand open', () =>
    scene(async (at) => {
      const silent = await halfOpen(at);
      const begun = await halfOpen(at);
      begun.write(Buffer.from([0x16, 0x03, 0x01, 0x02]));
      const open = connectTls({ port: at.port.port, host: '127.0.0.1', ...trusting });
      open.on('error', () => open.destroy());
      await once(open, 'secureConnect');
      const gone = Promise.all([silent, begun, open].map(ended));
      await at.port.close();
      await gone;
    }, certificate));

  it('lives through who speaks no TLS', () =>
    scene(async (at) => {
      const socket = await halfOpen(at);
      socket.write(UPGRADE(`/audio?token=${PASSWORD}`));
      await ended(socket);
    }, certificate));
});
