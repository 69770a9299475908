/** The editor's way to the monitors: who is let in, what a download is, and that other sockets are left alone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe } from 'node:test';
import WebSocket from 'ws';
import register from '../../nodes/orgo-audio-monitor/orgo-audio-monitor';
import type { HttpApp, HttpHandler } from '../../nodes/shared/red';
import { PERMISSION } from '../../src/monitor/viewer-protocol';
import { it } from '../support/hang-guard';
import { FakeClock } from './fake-clock';
import { FakeRed } from './fake-red';
import { counting, sound } from './shared/harness';

describe('the editor and its monitors', () => {
  const RED = new FakeRed();
  const clock = new FakeClock();
  let url = '';

  before(async () => {
    const routes = new Map<string, readonly HttpHandler[]>();
    const app: HttpApp = {
      get: (path, ...handlers) => void routes.set(path, handlers),
      use: () => undefined,
    };
    const needsPermission =
      (permission: string): HttpHandler =>
      (request, response, next) => {
        if (request.headers.authorization === `may ${permission}`) next();
        else response.writeHead(401).end();
      };
    const server = createServer((request, response) => {
      const path = (request.url ?? '').replace(/^\/admin/, '').replace(/history\/.*/, 'history/:id');
      const [guard, handler] = routes.get(path) ?? [];
      guard?.(request, response, () => handler?.(request, response, () => response.writeHead(500).end()));
      if (!guard) response.writeHead(404).end();
    });
    Object.assign(RED, { server, httpAdmin: app, auth: { needsPermission } });
    RED.settings = { httpAdminRoot: '/admin/' };
    register(RED, { clock, defer: (fn) => void setImmediate(fn) });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    RED.server.closeAllConnections();
    RED.server.close();
  });

  const ask = (path: string, authorization = `may ${PERMISSION}`): Promise<Response> =>
    fetch(`http://${url}/admin/orgo-audio-monitor/${path}`, { headers: { authorization } });

  async function ticket(): Promise<string> {
    return ((await (await ask('ticket')).json()) as { ticket: string }).ticket;
  }

  function connect(headers: Record<string, string> = {}): WebSocket {
    return new WebSocket(`ws://${url}/admin/orgo-audio-monitor/socket`, { headers });
  }

  async function closeCode(socket: WebSocket): Promise<number> {
    const [code] = (await once(socket, 'close')) as [number];
    return code;
  }

  it('gives tickets and downloads to who may, and to nobody else', async () => {
    assert.equal((await ask('ticket', 'none')).status, 401);
    assert.equal((await ask('history/a', 'may flows.read')).status, 401);
    assert.match(await ticket(), /^[0-9a-f]{48}$/);
    assert.notEqual(await ticket(), await ticket());
    assert.equal((await ask('ticket')).headers.get('cache-control'), 'no-store');
  });

  it('lists the monitors to who shows a ticket, once', async () => {
    const node = RED.create('orgo-audio-monitor', { id: 'monitor 1', name: 'Wire' });
    const good = await ticket();
    const socket = connect({ origin: `http://${url}` });
    await once(socket, 'open');
    const listed = new Promise<readonly { name: string }[]>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { type: string; monitors: { name: string }[] };
        if (message.type === 'monitors') resolve(message.monitors);
      });
    });
    socket.send(JSON.stringify({ type: 'ticket', ticket: good }));
    assert.equal((await listed)[0]?.name, 'Wire');

    const second = connect();
    await once(second, 'open');
    second.send(JSON.stringify({ type: 'ticket', ticket: good }));
    assert.equal(await closeCode(second), 4401);
    socket.send(Buffer.from('bytes'));
    assert.equal(await closeCode(socket), 4400);
    await node.close();
  });

  it('closes who shows nothing within 10 s', async () => {
    const socket = connect();
    await once(socket, 'open');
    clock.advance(10_000);
    assert.equal(await closeCode(socket), 4401);
  });

  it('refuses a foreign origin', async () => {
    for (const origin of ['https://evil.example', 'null', `http://${url}.evil.example`]) {
      const [, response] = (await once(connect({ origin }), 'unexpected-response')) as [
        unknown,
        IncomingMessage,
      ];
      assert.equal(response.statusCode, 403, origin);
      response.destroy();
    }
  });

  it('leaves an upgrade to any other path to its owner', async () => {
    let seen = 0;
    const owner = (request: IncomingMessage, socket: { end(text: string): void }): void => {
      if (!(request.url ?? '').startsWith('/other')) return;
      seen++;
      socket.end('HTTP/1.1 418 Mine\r\n\r\n');
    };
    RED.server.on('upgrade', owner);
    const [, response] = (await once(new WebSocket(`ws://${url}/other`), 'unexpected-response')) as [
      unknown,
      IncomingMessage,
    ];
    assert.deepEqual([response.statusCode, seen], [418, 1]);
    response.destroy();
    RED.server.off('upgrade', owner);
  });

  it('downloads the history as WAV, and says in words that there is none', async () => {
    const node = RED.create('orgo-audio-monitor', { id: 'a/b' });
    const path = `history/${encodeURIComponent('a/b')}`;
    const none = await ask(path);
    assert.deepEqual([none.status, /no sound has come/.test(await none.text())], [404, true]);
    await node.receive(sound(480));
    const response = await ask(path);
    assert.equal(response.headers.get('content-type'), 'audio/wav');
    assert.match(response.headers.get('content-disposition') ?? '', /^attachment/);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()).subarray(44), counting(480));
    await node.close();
    assert.equal((await ask(path)).status, 404);
  });
});
