/** An audio server on Node-RED's own HTTP server, beside the paths of other nodes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe } from 'node:test';
import register from '../../nodes/orgo-audio-server/orgo-audio-server';
import type { HttpHandler } from '../../nodes/shared/red';
import { TestClient } from '../support/server-rig';
import { FakeRed, type FakeNode } from './fake-red';
import { it } from '../support/hang-guard';

const TYPE = 'orgo-audio-server';
const KEY = 'sk-test';

/** Node-RED with its HTTP server; the middleware of nodes runs below `root`, all else is answered 418. */
class HostedRed extends FakeRed {
  readonly nodesMade: FakeNode[] = [];
  port = 0;

  static async start(settings: FakeRed['settings'] = {}): Promise<HostedRed> {
    const RED = new HostedRed();
    RED.settings = settings;
    const root = typeof settings.httpNodeRoot === 'string' ? settings.httpNodeRoot.replace(/\/$/, '') : '';
    const used: [string, HttpHandler][] = [];
    RED.httpNode = {
      get: () => undefined,
      use: (path, ...handlers) =>
        used.push(...handlers.map((handler): [string, HttpHandler] => [root + path, handler])),
    };
    RED.server.on('request', (request, response) => {
      const [path, handler] = used.find(([prefix]) => request.url?.startsWith(prefix)) ?? [];
      const notOurs = (): void => void response.writeHead(418).end('{}');
      if (path === undefined || !handler) {
        notOurs();
        return;
      }
      // Express leaves the slash.
      request.url = request.url?.slice(path.replace(/\/$/, '').length) ?? '';
      handler(request, response, notOurs);
    });
    RED.server.listen(0, '127.0.0.1');
    await once(RED.server, 'listening');
    RED.port = (RED.server.address() as AddressInfo).port;
    register(RED);
    return RED;
  }

  async serve(
    config: Record<string, unknown>,
    credentials: Record<string, unknown> = {},
    status = /^listening/,
  ): Promise<FakeNode> {
    const node = this.create(
      TYPE,
      { source: 'test', listen: 'node-red', ...config },
      { password: 'pass', ...credentials },
    );
    this.nodesMade.push(node);
    while (!status.test(node.statuses.at(-1)?.text ?? '')) await once(node, 'status');
    return node;
  }

  async get(path: string, key = KEY): Promise<[number, Record<string, unknown>]> {
    const headers = { Authorization: `Bearer ${key}` };
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { headers });
    return [response.status, (await response.json()) as Record<string, unknown>];
  }

  client(path: string): TestClient {
    return new TestClient(`ws://127.0.0.1:${this.port}${path}`);
  }

  async stop(): Promise<void> {
    for (const node of this.nodesMade) await node.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}

let RED: HostedRed;
afterEach(() => RED.stop());

describe(`${TYPE} on the server of Node-RED`, () => {
  it('leaves the REST paths to others without an API key', async () => {
    RED = await HostedRed.start();
    await RED.serve({});
    assert.equal((await RED.get('/api/computers/desk'))[0], 418);
    assert.equal((await RED.get('/api/computers/desk/vnc-password'))[0], 418);
    await RED.serve({ path: '/second', computerId: 'desk' }, { apiKey: KEY });
    assert.equal((await RED.get('/api/computers/desk'))[0], 200);
  });

  it('serves a computer by the node that names it, whichever was made first', async () => {
    RED = await HostedRed.start();
    await RED.serve({ path: '/any' }, { apiKey: KEY, password: 'any' });
    await RED.serve({ path: '/desk', computerId: 'desk' }, { apiKey: KEY, password: 'desks' });
    await RED.serve({ path: '/quiet', computerId: 'quiet' }, { password: 'quiets' });
    assert.deepEqual(await RED.get('/api/computers/desk/vnc-password'), [200, { password: 'desks' }]);
    assert.deepEqual(await RED.get('/api/computers/else/vnc-password'), [200, { password: 'any' }]);
    assert.equal((await RED.get('/api/computers/quiet'))[0], 418, 'its own node has no REST routes');
    const client = RED.client('/desktops/desk/ws/audio?token=desks');
    await client.until(() => client.binaries.length > 0);
    assert.equal((await RED.client('/desktops/desk/ws/audio?token=any').untilClosed()).code, 4401);
  });

  it('names an address that is right below httpNodeRoot and behind a TLS proxy', async () => {
    RED = await HostedRed.start({ httpNodeRoot: '/red/' });
    await RED.serve({ trustProxy: true, computerId: 'desk' }, { apiKey: KEY });
    const [status, { connection_url: url }] = await RED.get('/red/api/computers/desk');
    assert.equal(status, 200);
    assert.equal(url, `http://127.0.0.1:${RED.port}/red/desktops/desk`);
    const client = new TestClient(`${url.replace('http', 'ws')}/ws/audio?token=pass`);
    await client.until(() => client.binaries.length > 0);
    const response = await fetch(`http://127.0.0.1:${RED.port}/red/api/computers/desk`, {
      headers: {
        Authorization: `Bearer ${KEY}`,
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'sound.example',
      },
    });
    const { connection_url } = (await response.json()) as Record<string, string>;
    assert.equal(connection_url, 'https://sound.example/red/desktops/desk');
  });

  it('serves the page at its path and /listen, unless a setting turns it off', async () => {
    RED = await HostedRed.start({ httpNodeRoot: '/red' });
    await RED.serve({ path: '/heard' });
    await RED.serve({ path: '/bare', listenPage: false });
    const policyAt = async (path: string): Promise<string | null> =>
      (await fetch(`http://127.0.0.1:${RED.port}${path}`)).headers.get('content-security-policy');
    assert.match((await policyAt('/red/heard/listen')) ?? '', /default-src 'none'/);
    assert.match((await policyAt('/red/heard/listen/player.js')) ?? '', /default-src 'none'/);
    for (const path of ['/red/bare/listen', '/red/listen', '/red/heard', '/red/heard/listen/x']) {
      assert.equal(await policyAt(path), null, path);
    }
  });

  it('says that httpNodeAuth keeps every API key out', async () => {
    RED = await HostedRed.start({ httpNodeAuth: { user: 'me', pass: 'x' } });
    const node = await RED.serve({}, { apiKey: KEY });
    assert.equal(node.warnings.length, 1);
    assert.match(node.warnings[0] ?? '', /httpNodeAuth.*REST routes can not be reached.*own port/);
    assert.deepEqual((await RED.serve({ path: '/b' })).warnings, [], 'without an API key nothing is lost');
  });

  it("refuses the path of the editor's own WebSocket", async () => {
    for (const [settings, path] of [
      [{}, '/comms'],
      [{ httpAdminRoot: '/admin/' }, '/admin/comms'],
      [{ httpNodeRoot: '/admin', httpAdminRoot: '/admin' }, '/comms'],
    ] as const) {
      RED = await HostedRed.start(settings);
      const node = await RED.serve({ path }, {}, /./);
      assert.match(node.errors[0] ?? '', /comms.*editor has its own WebSocket.*choose another path/);
      await RED.stop();
    }
    RED = await HostedRed.start({ httpNodeRoot: '/red' });
    await RED.serve({ path: '/comms' });
  });

  it('never answers an upgrade that is for another node', async () => {
    RED = await HostedRed.start();
    await RED.serve({}, { apiKey: KEY });
    let others = 0;
    RED.server.on('upgrade', (_request, socket) => {
      others++;
      socket.end('HTTP/1.1 299 Mine\r\nContent-Length: 0\r\n\r\n');
    });
    for (const path of ['/comms', '/ws/live', '/api/computers/desk', '/api/computers/desk/vnc-password']) {
      const socket = connect(RED.port, '127.0.0.1');
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 299 Mine/, path);
      socket.destroy();
    }
    assert.equal(others, 4);
  });

  it('notices a websocket-listener that a later deploy brings, gives way, and comes back', async (context) => {
    RED = await HostedRed.start({ httpNodeRoot: '/red' });
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const node = await RED.serve({ path: '/live' });
    const other = await RED.serve({ path: '/audio' });
    RED.events.emit('flows:started');
    assert.equal(node.errors.join(), '');
    const rival = { id: 'ws1', type: 'websocket-listener', path: '/live', d: true };
    RED.configs.push(rival);
    RED.events.emit('flows:started');
    assert.equal(node.errors.join(), '', 'a disabled one answers nothing');
    rival.d = false;
    RED.events.emit('flows:started');
    context.mock.timers.tick(300);
    assert.match(node.errors[0] ?? '', /The path \/red\/live belongs to the websocket-listener ws1/);
    assert.match(node.statuses.at(-1)?.text ?? '', /^path-taken/);
    assert.deepEqual(other.errors, []);
    RED.configs.splice(RED.configs.indexOf(rival), 1);
    while (!/^listening/.test(node.statuses.at(-1)?.text ?? '')) {
      context.mock.timers.tick(1000);
      await new Promise(setImmediate);
    }
    assert.equal(node.errors.length, 1);
  });
});
