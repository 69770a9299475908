import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import register from '../../nodes/orgo-audio-server/orgo-audio-server';
import { wavHeader } from '../../src/containers/wav-header';
import { selfSigned } from '../client/certificate';
import { needs } from '../support/needs';
import { ramp, WIRE_DEFAULT } from '../support/manual-source';
import { TestClient } from '../support/server-rig';
import { FakeRed, type FakeNode } from './fake-red';

const TYPE = 'orgo-audio-server';
const PASSWORD = 'secret-password';
const FORMAT = { encoding: 's16le', sampleRate: 24000, channels: 1 };

function load(): FakeRed {
  const RED = new FakeRed();
  register(RED);
  return RED;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilStatus(node: FakeNode, text: RegExp): Promise<void> {
  while (!text.test(node.statuses.at(-1)?.text ?? '')) await once(node, 'status');
}

function eventsOf(node: FakeNode): unknown[] {
  return node.sent.map((message) => (message as { payload: { event: unknown } }).payload.event);
}

async function connected(port: number): Promise<TestClient> {
  const client = new TestClient(`ws://127.0.0.1:${port}/audio?token=${PASSWORD}`);
  await once(client.webSocket, 'open');
  return client;
}

describe(TYPE, () => {
  it('serves what is wired into it, with numbers that came as text', async () => {
    const port = await freePort();
    const node = load().create(
      TYPE,
      { source: 'input', port: String(port), maxListeners: '2', inputSampleRate: '24000' },
      { password: PASSWORD },
    );
    await untilStatus(node, /^listening/);
    const client = await connected(port);
    while (!eventsOf(node).includes('capture-started')) await once(node, 'sent');
    const pcm = ramp(WIRE_DEFAULT, 0, 960);
    assert.equal(await node.receive({ payload: pcm.subarray(0, 961) }), undefined);
    assert.equal(await node.receive({ payload: pcm.subarray(961) }), undefined);
    await client.until(() => client.pcm.length >= pcm.length);
    assert.deepEqual(client.pcm.subarray(-pcm.length), pcm, 'an odd byte waited for the next message');
    await node.close();
    assert.equal((await client.untilClosed()).code, 1001);
    assert.deepEqual(node.errors, []);
  });

  it('passes the time of capture on', async () => {
    const port = await freePort();
    const node = load().create(TYPE, { source: 'input', port }, { password: PASSWORD });
    await untilStatus(node, /^listening/);
    const client = new TestClient(`ws://127.0.0.1:${port}/audio?token=${PASSWORD}&clock=1`);
    while (!eventsOf(node).includes('capture-started')) await once(node, 'sent');
    const audio = { ...FORMAT, position: 4800, time: 1_700_000_000_123.5 };
    await node.receive({ payload: Buffer.alloc(1920), audio });
    await client.until(() => client.binaries.length === 2);
    assert.deepEqual(client.messages[1], {
      type: 'clock',
      position: 0,
      time: 1_700_000_000_123.5,
      dropped: 0,
    });
    await node.close();
  });

  it('does not listen without a password, and says so', async () => {
    const port = await freePort();
    const node = load().create(TYPE, { source: 'test', port });
    assert.equal(node.statuses.at(-1)?.fill, 'red');
    assert.match(node.statuses.at(-1)?.text ?? '', /no-password/);
    assert.equal(node.errors.length, 1);
    assert.match(node.errors[0] ?? '', /password/i);
    await assert.rejects(connected(port));
    await node.close();
  });

  it('says that its port is taken, once, and listens as soon as it is free', async (context) => {
    const rival = createServer().listen(0, '127.0.0.1');
    await once(rival, 'listening');
    const { port } = rival.address() as AddressInfo;
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const node = load().create(TYPE, { source: 'test', port }, { password: PASSWORD });
    await untilStatus(node, /^port-taken/);
    assert.deepEqual(node.errors, [
      `127.0.0.1:${port} is taken by another program or node: choose another port`,
    ]);
    rival.close();
    await once(rival, 'close');
    while (!/^listening/.test(node.statuses.at(-1)?.text ?? '')) {
      context.mock.timers.tick(1000);
      await new Promise(setImmediate);
    }
    assert.equal(node.errors.length, 1);
    await node.close();
  });

  it('lets a Catch node hear of a trouble that lasts', async () => {
    const rival = createServer().listen(0, '127.0.0.1');
    await once(rival, 'listening');
    const { port } = rival.address() as AddressInfo;
    const node = load().create(TYPE, { source: 'test', port, computerId: 'desk' }, { password: PASSWORD });
    const caught: unknown[] = [];
    // Node-RED hands an error to Catch nodes only where a message comes with it.
    Object.assign(node, { error: (_text: string, msg?: unknown) => caught.push(msg) });
    await untilStatus(node, /^port-taken/);
    assert.deepEqual(caught, [{ topic: 'desk' }]);
    await node.close();
    rival.close();
  });

  it('refuses settings that are out of range, and environment variables that are not set', async () => {
    for (const [config, text] of [
      [{ port: 'many' }, /port is "many": it must be a whole number from 0 to 65535/],
      [{ port: '${ORGO_NO_SUCH_PORT}' }, /port is \$\{ORGO_NO_SUCH_PORT\}.*not set/],
      [{ source: 'microphone' }, /source is "microphone": it must be one of pulse, input, test/],
      [{ maxListeners: 0 }, /maxListeners is 0/],
      [{ maxBacklogMs: -1 }, /maxBacklogMs is -1/],
      [{ path: 'audio' }, /path is "audio": it must begin with \//],
      [{ path: '/a?b' }, /path/],
      [{ path: '/a/../b' }, /path is "\/a\/\.\.\/b": it must .* needs no encoding in a URL/],
      [{ path: '/für' }, /path is "\/für"/],
      [{ computerId: 'a/b' }, /computerId is "a\/b": it must hold no slash/],
      [{ allowedOrigins: '*' }, /allowedOrigins is "\*": it must hold origins/],
      [{ tls: 'gone' }, /tls is gone, but there is no such TLS configuration/],
    ] as const) {
      const node = load().create(TYPE, config, { password: PASSWORD });
      assert.match(node.statuses.at(-1)?.text ?? '', /bad-setting/);
      assert.equal(node.errors.length, 1);
      assert.match(node.errors[0] ?? '', text);
      assert.match(
        (await node.receive({ action: 'stop' }))?.message ?? '',
        text,
        'every message is answered so',
      );
      await node.close();
    }
    const unset = load().create(TYPE, {}, { password: '${ORGO_NO_SUCH_PASSWORD}' });
    assert.match(unset.errors[0] ?? '', /ORGO_NO_SUCH_PASSWORD is not set/);
    await unset.close();
  });

  it('takes WAV files as they are, whatever its settings say of their format', async () => {
    const port = await freePort();
    const node = load().create(
      TYPE,
      { source: 'input', port, inputSampleRate: 8000 },
      { password: PASSWORD },
    );
    await untilStatus(node, /^listening/);
    const client = await connected(port);
    while (!eventsOf(node).includes('capture-started')) await once(node, 'sent');
    const pcm = ramp(WIRE_DEFAULT, 0, 960);
    const file = Buffer.concat([wavHeader(WIRE_DEFAULT, 960), pcm]);
    for (const piece of [file.subarray(0, 30), file.subarray(30, 1005), file.subarray(1005)]) {
      assert.equal(await node.receive({ payload: piece }), undefined);
    }
    await client.until(() => client.pcm.length >= pcm.length);
    assert.deepEqual(client.pcm.subarray(-pcm.length), pcm);
    assert.equal(
      await node.receive({ payload: file, audio: { ...FORMAT, encoding: 'wav', time: 1_700_000_000_000 } }),
      undefined,
    );
    await client.until(() => client.pcm.length >= 2 * pcm.length);
    assert.deepEqual(client.pcm.subarray(-pcm.length), pcm);
    for (const [msg, text] of [
      [{ payload: pcm, audio: { ...FORMAT, encoding: 'wav' } }, /encoding is wav, but .* WAV file/],
      [
        { payload: wavHeader({ ...WIRE_DEFAULT, sampleRate: 4000 }, 10) },
        /The WAV file is 4000 Hz mono s16le: 8000 to 192000 Hz/,
      ],
    ] as const) {
      assert.match((await node.receive(msg))?.message ?? '', text);
    }
    await node.close();
  });

  it(
    'serves by the TLS configuration that is chosen, and refuses one that can not serve',
    needs('openssl'),
    async () => {
      const RED = load();
      const { key, cert } = selfSigned();
      const choose = (id: string, options: object): void => {
        RED.instances.set(id, { addTLSOptions: (given: object) => Object.assign(given, options) });
      };
      choose('good', { key, cert, rejectUnauthorized: true });
      choose('trust-only', { ca: cert });
      choose('broken', { key: 'no key', cert });
      for (const [tls, text] of [
        ['trust-only', /holds no certificate with its private key/],
        ['broken', /certificate or key of the TLS configuration can't be used/],
      ] as const) {
        const refused = RED.create(TYPE, { source: 'test', port: 0, tls }, { password: PASSWORD });
        assert.match(refused.statuses.at(-1)?.text ?? '', /bad-setting/);
        assert.match(refused.errors[0] ?? '', text);
        await refused.close();
      }
      const port = await freePort();
      const node = RED.create(TYPE, { source: 'test', port, tls: 'good' }, { password: PASSWORD });
      await untilStatus(node, /^listening/);
      const client = new TestClient(`wss://127.0.0.1:${port}/audio?token=${PASSWORD}`, { ca: cert });
      await client.until(() => client.binaries.length > 5);
      await node.close();
      assert.equal((await client.untilClosed()).code, 1001);
    },
  );

  it('takes its path on the server of Node-RED over from the node that a deploy replaces', async () => {
    const RED = load();
    RED.server.listen(0, '127.0.0.1');
    await once(RED.server, 'listening');
    const { port } = RED.server.address() as AddressInfo;
    for (let deploy = 0; deploy < 3; deploy++) {
      const config = { source: 'test', listen: 'node-red', path: '/audio' };
      const node = RED.create(TYPE, config, { password: PASSWORD });
      await untilStatus(node, /^listening/);
      assert.equal(RED.server.listenerCount('upgrade'), 1);
      const client = await connected(port);
      await client.until(() => client.binaries.length > 0);
      await node.close();
      assert.equal((await client.untilClosed()).code, 1001);
      assert.deepEqual(node.errors, []);
    }
    RED.server.close();
    await once(RED.server, 'close');
  });

  it('answers what it can not use with an error that names it, and goes on', async () => {
    const port = await freePort();
    const node = load().create(TYPE, { source: 'input', port }, { password: PASSWORD });
    await untilStatus(node, /^listening/);
    for (const [msg, text] of [
      [{ payload: 'text' }, /msg\.payload is the text "text": a Buffer/],
      [{ payload: 5 }, /msg\.payload is 5/],
      [{}, /msg\.payload is missing/],
      [{ payload: new Int16Array(4) }, /Int16Array/],
      [
        { payload: Buffer.alloc(4), audio: { ...FORMAT, encoding: 'opus' } },
        /encoding is the text "opus".*s16le or f32le/,
      ],
      [
        { payload: Buffer.alloc(4), audio: { ...FORMAT, sampleRate: 7999 } },
        /sampleRate is 7999.*8000 to 192000/,
      ],
      [{ payload: Buffer.alloc(4), audio: { ...FORMAT, channels: 3 } }, /channels is 3.*1 or 2/],
      [
        { payload: Buffer.alloc(4), audio: { ...FORMAT, gap: 1e300 } },
        /gap is 1e\+300.*a whole number from 0/,
      ],
      [{ payload: Buffer.alloc(4), audio: { ...FORMAT, position: 0.5 } }, /position is 0\.5.*a whole number/],
      [{ payload: Buffer.alloc(4), audio: { ...FORMAT, time: 'now' } }, /time is the text "now".*finite/],
      [{ action: 'dance' }, /msg\.action is "dance": it must be start or stop/],
    ] as const) {
      assert.match((await node.receive(msg))?.message ?? '', text);
    }
    assert.equal(await node.receive({ payload: Buffer.alloc(0) }), undefined, 'an empty Buffer is ignored');
    await connected(port);
    await node.close();

    const test = load().create(TYPE, { source: 'test', port }, { password: PASSWORD });
    assert.match((await test.receive({ payload: Buffer.alloc(4) }))?.message ?? '', /source is test/);
    await test.close();
  });

  it('stops and starts by message', async () => {
    const port = await freePort();
    const node = load().create(TYPE, { source: 'test', port }, { password: PASSWORD });
    await untilStatus(node, /^listening/);
    const client = await connected(port);
    await client.until(() => client.binaries.length > 0);
    await node.receive({ action: 'stop' });
    assert.equal((await client.untilClosed()).code, 1001);
    await untilStatus(node, /^stopped/);
    assert.equal((await (await connected(port)).untilClosed()).code, 4404);
    await node.receive({ action: 'start' });
    const again = await connected(port);
    await again.until(() => again.binaries.length > 0);
    await node.close();
  });

  it('serves under its path on the server of Node-RED, and leaves it as it was', async () => {
    const RED = load();
    RED.server.listen(0, '127.0.0.1');
    await once(RED.server, 'listening');
    const { port } = RED.server.address() as AddressInfo;
    const node = RED.create(
      TYPE,
      { source: 'test', listen: 'node-red', path: '/audio' },
      { password: PASSWORD },
    );
    await untilStatus(node, /^listening/);
    const client = await connected(port);
    await client.until(() => client.binaries.length > 0);

    const rival = RED.create(
      TYPE,
      { source: 'test', listen: 'node-red', path: '/audio' },
      { password: PASSWORD },
    );
    await untilStatus(rival, /^path-taken/);
    assert.match(rival.errors[0] ?? '', /\/audio belongs to another orgo-audio-server/);
    await rival.close();

    RED.configs.push({ id: 'ws1', type: 'websocket-listener', path: 'live' });
    const second = RED.create(
      TYPE,
      { source: 'test', listen: 'node-red', path: '/live' },
      { password: PASSWORD },
    );
    await untilStatus(second, /^path-taken/);
    assert.match(second.errors[0] ?? '', /websocket-listener ws1/);
    await second.close();

    await node.close();
    assert.equal(RED.server.listenerCount('upgrade'), 0);
    RED.server.close();
  });
});
