import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import { selfSigned } from './certificate';
import { needs } from '../support/needs';
import {
  FakeAudioServer,
  frameBytes,
  httpServer,
  listenTo,
  STARTED,
  tokens,
  type Listening,
  type ListenOptions,
} from './rig';
import { it } from '../support/hang-guard';

const TOKEN = 'sesame & "öffne" dich';

describe('an audio stream', () => {
  let server: FakeAudioServer;
  let streams: Listening[];

  beforeEach(async () => {
    server = await FakeAudioServer.listen();
    streams = [];
  });
  afterEach(async () => {
    for (const { stream, clock, hearer } of streams) {
      const stopped = stream.stop('closed');
      clock.advance(2000);
      await stopped;
      assert.equal(clock.pending, 0, 'a timer is left');
      for (const { message } of hearer.notices) assert.ok(!message.includes(TOKEN), message);
      for (const state of hearer.states) {
        if ('error' in state) assert.ok(!state.error.message.includes(TOKEN), state.error.message);
      }
    }
    await server.close();
  });

  function listen(options: ListenOptions = {}, url = server.url): Listening {
    const listening = listenTo(url, { tokens: tokens(TOKEN), ...options });
    streams.push(listening);
    return listening;
  }

  it('asks with the token encoded, for its format and for the clock', async () => {
    const url = new URL(`${server.url.href}?region=eu&token=old#part`);
    listen({ format: { encoding: 's16le', sampleRate: 48000, channels: 2 } }, url);
    const { request, socket } = await server.caller();
    const asked = new URL(request.url ?? '', server.url);
    assert.deepEqual(
      [...asked.searchParams],
      [
        ['region', 'eu'],
        ['token', TOKEN],
        ['sample_rate', '48000'],
        ['channels', '2'],
        ['clock', '1'],
      ],
    );
    assert.equal(socket.extensions, '', 'nothing is compressed');
  });

  it('goes from the password through started to sound, and each frame leaves at once', async () => {
    const { hearer } = listen();
    const { socket } = await server.caller();
    socket.send(STARTED);
    await hearer.state('started');
    socket.send(frameBytes());
    await hearer.state('running');
    await hearer.until(() => hearer.frames.length === 1);
    assert.deepEqual(
      hearer.states.map((state) => state.kind),
      ['authorizing', 'connecting', 'started', 'running'],
    );
    assert.deepEqual(hearer.frames[0]?.data, frameBytes());
    assert.equal(hearer.begun.length, 1);
  });

  it('joins frames of odd length into whole ones', async () => {
    const { hearer } = listen();
    const { socket } = await server.caller();
    const bytes = frameBytes(0, 960);
    socket.send(STARTED);
    for (const [start, end] of [
      [0, 1],
      [1, 334],
      [334, 1919],
      [1919, 1920],
    ]) {
      socket.send(bytes.subarray(start, end));
    }
    await hearer.until(() => hearer.frames.length === 2);
    assert.deepEqual(hearer.sound, bytes);
  });

  it('takes position and time from the clock extension', async () => {
    const { hearer, stream } = listen();
    const { socket } = await server.caller();
    socket.send(STARTED);
    socket.send('{"type":"clock","position":0,"time":1763842000123.4,"dropped":0}');
    socket.send(frameBytes());
    socket.send('{"type":"clock","position":960,"time":1763842000163.4,"dropped":480}');
    socket.send(frameBytes());
    await hearer.until(() => hearer.frames.length === 3);
    assert.equal(stream.exact, true);
    assert.deepEqual(
      hearer.frames.map(({ position, time }) => [position, time]),
      [
        [0, 1763842000123.4],
        [480, 1763842000143.4],
        [960, 1763842000163.4],
      ],
    );
    assert.equal(hearer.gaps[0]?.samples, 480);
  });

  it('passes over texts that are none of the protocol, and says so once', async () => {
    const { hearer } = listen();
    const { socket } = await server.caller();
    socket.send('{"type":"hello"}');
    for (const garbage of ['', '{', 'null', '[]', '7', '"x"', '['.repeat(10_000), 'x'.repeat(1_000_000)]) {
      socket.send(garbage);
    }
    socket.send('{"type":"started","sample_rate":"24000","channels":1}');
    socket.send('{"type":"clock","position":1,"time":null,"dropped":0}');
    socket.send(STARTED);
    socket.send(frameBytes());
    await hearer.until(() => hearer.frames.length === 1);
    assert.equal(hearer.notices.length, 1);
    assert.match(hearer.notices[0]!.message, /a text that is not in the protocol: “\{"type":"hello"\}”/);
    assert.equal(hearer.frames[0]?.position, 0);
  });

  it('leaves out sound before started', async () => {
    const { hearer } = listen();
    const { socket } = await server.caller();
    socket.send(frameBytes(5));
    socket.send(STARTED);
    socket.send(frameBytes(7));
    await hearer.until(() => hearer.frames.length === 1);
    assert.deepEqual(hearer.sound, frameBytes(7));
    assert.match(hearer.notices[0]!.message, /audio before "started"/);
  });

  it('is not disturbed by a second started of the same format', async () => {
    const { hearer } = listen();
    const { socket } = await server.caller();
    socket.send(STARTED);
    socket.send(frameBytes());
    socket.send(STARTED);
    socket.send(frameBytes());
    await hearer.until(() => hearer.frames.length === 2);
    assert.equal(hearer.begun.length, 1);
    assert.equal(hearer.frames[1]?.position, 480);
    assert.match(hearer.notices[0]!.message, /"started" again/);
  });

  it('begins anew where started changes the format', async () => {
    const { hearer } = listen();
    const { socket } = await server.caller();
    socket.send(STARTED);
    socket.send(frameBytes(0, 500));
    socket.send('{"type":"started","sample_rate":48000,"channels":2}');
    socket.send(frameBytes(0, 1920));
    await hearer.until(() => hearer.frames.length === 2);
    assert.deepEqual(
      hearer.ends.map(({ reason, tail }) => [reason, tail?.samples]),
      [['restarted', 20]],
    );
    const { position, samples, format } = hearer.frames[1]!;
    assert.deepEqual([position, samples, format.sampleRate, format.channels], [0, 960, 48000, 2]);
  });

  it('follows a format that it did not ask for, and says so', async () => {
    const { hearer } = listen({ format: { encoding: 's16le', sampleRate: 16000, channels: 2 } });
    const { socket } = await server.caller();
    socket.send(STARTED);
    socket.send(frameBytes());
    await hearer.until(() => hearer.frames.length === 1);
    assert.deepEqual(hearer.begun[0], { encoding: 's16le', sampleRate: 24000, channels: 1 });
    assert.match(hearer.notices[0]!.message, /24000 Hz mono s16le, but 16000 Hz stereo s16le was asked for/);
  });

  for (const [rate, channels] of [
    [0, 1],
    [24000.5, 1],
    [1e9, 1],
    [24000, 3],
    [24000, 0],
    [-1, 2],
  ]) {
    it(`can't use ${rate} Hz in ${channels} channels`, async () => {
      const { hearer } = listen();
      const { socket } = await server.caller();
      socket.send(JSON.stringify({ type: 'started', sample_rate: rate, channels }));
      const { error } = await hearer.state('waiting');
      assert.equal(error.code, 'ORGO_PROTOCOL_VIOLATION');
      assert.match(error.message, /a format that can't be used/);
      assert.equal(hearer.begun.length, 0);
    });
  }

  it('ends at a frame of 10 MB, and connects again', async () => {
    const { hearer, clock } = listen();
    const { socket } = await server.caller();
    socket.send(STARTED);
    socket.send(frameBytes());
    await hearer.state('running');
    socket.send(Buffer.alloc(10 * 1024 * 1024));
    const { error, retryInMs } = await hearer.state('waiting');
    assert.equal(error.code, 'ORGO_PROTOCOL_VIOLATION');
    assert.match(error.message, /a frame of more than 1048576 bytes/);
    assert.equal(hearer.ends[0]?.reason, 'error');
    clock.advance(retryInMs);
    (await server.caller()).socket.send(STARTED);
    await hearer.state('started');
  });

  it('pings every 30 s, and is alive as long as a pong or sound comes', async () => {
    const { hearer, clock } = listen();
    const caller = await server.caller();
    caller.socket.send(STARTED);
    caller.socket.send(frameBytes());
    await hearer.state('running');
    clock.advance(30_000);
    assert.equal(await caller.text(), '{"type":"ping"}');
    caller.socket.send('{"type":"pong"}');
    caller.socket.send(frameBytes());
    await hearer.until(() => hearer.frames.length === 2);
    clock.advance(10_000);
    assert.equal(hearer.states.at(-1)?.kind, 'running');
    clock.advance(20_000);
    await caller.text();
    clock.advance(10_000);
    const { error } = await hearer.state('waiting');
    assert.equal(error.code, 'ORGO_CONNECTION_DEAD');
    assert.equal(hearer.ends[0]?.reason, 'disconnected');
    assert.equal(await caller.closed, 1006);
  });

  it('sends stop when it is stopped, and marks its end with what was left', async () => {
    const { hearer, stream } = listen();
    const caller = await server.caller();
    caller.socket.send(STARTED);
    caller.socket.send(frameBytes(0, 490));
    await hearer.until(() => hearer.frames.length === 1);
    const stopped = stream.stop('stopped');
    assert.equal(hearer.states.at(-1)?.kind, 'stopped');
    assert.deepEqual(
      hearer.ends.map(({ reason, tail, error }) => [reason, tail?.samples, error]),
      [['stopped', 10, undefined]],
    );
    await stopped;
    assert.equal(await caller.closed, 1000);
    assert.deepEqual(caller.texts, ['{"type":"stop"}']);
    await stream.stop('closed');
    assert.equal(hearer.ends.length, 1);
  });

  it('leaves a server that does not close in 2 s', async () => {
    const tcp = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (request) => {
        const key = /sec-websocket-key: (.*)\r\n/i.exec(request.toString())?.[1] ?? '';
        void crypto.subtle
          .digest('SHA-1', new TextEncoder().encode(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`))
          .then((hash) => {
            const accept = Buffer.from(hash).toString('base64');
            socket.write(
              `HTTP/1.1 101 Hello\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
            );
            socket.write(Buffer.concat([Buffer.from([0x81, STARTED.length]), Buffer.from(STARTED)]));
          });
      });
    }).listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const url = new URL(`ws://127.0.0.1:${(tcp.address() as AddressInfo).port}/audio`);
    const { hearer, stream, clock } = listen({}, url);
    await hearer.state('started');
    const stopped = stream.stop('stopped');
    clock.advance(2000);
    await stopped;
    tcp.close();
    await once(tcp, 'close');
  });

  it('can be stopped while it connects, waits, or fetches the password', async () => {
    const connecting = listen();
    await connecting.hearer.state('connecting');
    await connecting.stream.stop('stopped');
    const waiting = listen({ tokens: { renewable: true, get: () => Promise.reject(new Error('no')) } });
    await waiting.hearer.state('waiting');
    await waiting.stream.stop('stopped');
    let signal: AbortSignal | undefined;
    const fetching = listen({
      tokens: {
        renewable: true,
        get: (request) => {
          signal = request.signal;
          return new Promise(() => undefined);
        },
      },
    });
    await fetching.stream.stop('stopped');
    assert.equal(signal?.aborted, true);
    for (const { hearer } of [connecting, waiting, fetching]) {
      assert.equal(hearer.states.at(-1)?.kind, 'stopped');
      assert.equal(hearer.ends.length, 0);
    }
  });

  it('gets another password when the first is rejected, then asks again slowly', async () => {
    const source = tokens('old', 'old', 'old', 'old', 'new');
    const { hearer, clock } = listen({ tokens: source });
    (await server.caller()).socket.close(4401);
    (await server.caller()).socket.close(4401);
    const first = await hearer.state('waiting');
    assert.equal(first.error.code, 'ORGO_BAD_TOKEN');
    assert.equal(source.asked, 2);
    assert.ok(!first.error.message.includes('old'), first.error.message);
    const waits = [first.retryInMs];
    for (let attempt = 0; attempt < 2; attempt++) {
      clock.advance(waits.at(-1) ?? 0);
      (await server.caller()).socket.close(4001);
      waits.push((await hearer.state('waiting')).retryInMs);
    }
    assert.deepEqual(waits, [35_000, 70_000, 140_000], 'from 30 s on, ever later');
    clock.advance(140_000);
    const last = await server.caller();
    assert.match(last.request.url ?? '', /token=new&/);
    last.socket.send(STARTED);
    await hearer.state('started');
  });

  it('waits where it is rejected each time after started', async () => {
    const { hearer, clock } = listen({ tokens: tokens('a', 'b', 'c', 'd', 'e') });
    for (let attempt = 0; attempt < 2; attempt++) {
      const { socket } = await server.caller();
      socket.send(STARTED);
      socket.close(4401);
    }
    const { retryInMs } = await hearer.state('waiting');
    assert.ok(retryInMs >= 30_000, `${retryInMs} ms`);
    clock.advance(retryInMs);
    const { socket } = await server.caller();
    socket.send(STARTED);
    await hearer.state('started');
    clock.advance(5000);
    socket.close(4401);
    // The stream lasted, so that the next rejection is a new one.
    (await server.caller()).socket.send(STARTED);
    await hearer.state('started');
  });

  it('connects at once after an idle limit, but not where it comes at once', async () => {
    const { hearer, clock } = listen();
    const { socket } = await server.caller();
    socket.send(STARTED);
    await hearer.state('started');
    clock.advance(5000);
    socket.close(4008);
    await hearer.state('connecting');
    const again = await server.caller();
    assert.equal(hearer.ends[0]?.reason, 'disconnected');
    assert.ok(hearer.states.every(({ kind }) => kind !== 'waiting'));
    again.socket.send(STARTED);
    again.socket.close(4008);
    assert.equal((await hearer.state('waiting')).retryInMs, 250);
  });

  for (const [closeCode, code, text] of [
    [4000, 'ORGO_BAD_ADDRESS', /does not know this path/],
    [4004, 'ORGO_NO_SUCH_COMPUTER', /There is no computer at/],
    [4006, 'ORGO_NO_ACCESS', /of another workspace/],
    [4011, 'ORGO_NO_ACCESS', /for viewing only/],
  ] as const) {
    it(`stays away after ${closeCode}`, async () => {
      const { hearer } = listen({ tokens: tokens('a', 'b') });
      (await server.caller()).socket.close(closeCode);
      const { error } = await hearer.state('refused');
      assert.equal(error.code, code);
      assert.match(error.message, text);
    });
  }

  it('survives a token that no URL can hold', async () => {
    const { hearer } = listen({ tokens: tokens('half \ud800 a pair') });
    const { request, socket } = await server.caller();
    assert.match(request.url ?? '', /token=half%20%EF%BF%BD%20a%20pair&/);
    socket.send(JSON.stringify({ type: 'error', message: 'bad token half \ufffd a pair' }));
    socket.close(4401);
    const { error } = await hearer.state('refused');
    assert.match(error.message, /rejected the password \(“bad token \*\*\*”\)/);
  });

  it('gets a fresh password for every connection', async () => {
    const source = tokens('a', 'b', 'c', 'd');
    const { hearer, clock } = listen({ tokens: source });
    for (const expected of ['a', 'b']) {
      const { socket, request } = await server.caller();
      assert.match(request.url ?? '', new RegExp(`token=${expected}&`));
      socket.send(STARTED);
      socket.close(1001);
      clock.advance((await hearer.state('waiting')).retryInMs);
    }
    // The computer was restarted: a rejection counts from the last time a password was taken.
    (await server.caller()).socket.close(4401);
    assert.match((await server.caller()).request.url ?? '', /token=d&/);
  });

  it('stays with a fixed password that is rejected', async () => {
    const { hearer } = listen();
    (await server.caller()).socket.close(4401, 'bad token');
    const { error } = await hearer.state('refused');
    assert.match(error.message, /rejected the password \(“bad token”\)/);
  });

  const retried: [number, string, string, RegExp][] = [
    [1000, 'ORGO_CONNECTION_FAILED', 'disconnected', /ended the stream/],
    [1001, 'ORGO_CONNECTION_FAILED', 'disconnected', /shuts down, or its computer stops/],
    [1008, 'ORGO_CONNECTION_FAILED', 'disconnected', /because we broke its rules/],
    [1013, 'ORGO_CONNECTION_FAILED', 'disconnected', /too many listeners/],
    [4003, 'ORGO_COMPUTER_NOT_RUNNING', 'disconnected', /is not running/],
    [4007, 'ORGO_SECOND_FACTOR', 'error', /asks for a second factor/],
    [4404, 'ORGO_COMPUTER_NOT_RUNNING', 'disconnected', /was not found, or is not running/],
    [4502, 'ORGO_CONNECTION_FAILED', 'disconnected', /can't reach the computer/],
    [4500, 'ORGO_CAPTURE_FAILED', 'error', /could not capture its sound \(“no sink \*\*\*”\)/],
    [4999, 'ORGO_CONNECTION_FAILED', 'disconnected', /with code 4999/],
  ];
  for (const [closeCode, code, reason, text] of retried) {
    it(`connects again after ${closeCode}, ever later`, async () => {
      const { hearer, clock } = listen();
      const waits: number[] = [];
      for (let attempt = 0; attempt < 3; attempt++) {
        const { socket } = await server.caller();
        socket.send(STARTED);
        socket.send(JSON.stringify({ type: 'error', message: `no sink ${TOKEN}` }));
        socket.close(closeCode);
        const { error, retryInMs } = await hearer.state('waiting');
        assert.equal(error.code, code);
        assert.match(error.message, text);
        assert.equal(hearer.ends.at(-1)?.reason, reason);
        assert.equal(hearer.ends.at(-1)?.closeCode, closeCode);
        waits.push(retryInMs);
        clock.advance(retryInMs);
      }
      assert.deepEqual(waits, [250, 500, 1000]);
    });
  }

  it('does not ask again for a format that is refused', async () => {
    const { hearer } = listen();
    const { socket } = await server.caller();
    socket.send('{"type":"error","message":"sample_rate is 7: it must be one of 8000"}');
    socket.close(4400);
    const { error } = await hearer.state('refused');
    assert.equal(error.code, 'ORGO_BAD_SETTING');
    assert.match(error.message, /sample_rate is 7: it must be one of 8000/);
  });

  it('waits briefly again after a stream that lasted', async () => {
    const { hearer, clock } = listen();
    for (let attempt = 0; attempt < 3; attempt++) {
      const { socket } = await server.caller();
      socket.send(STARTED);
      await hearer.state('started');
      clock.advance(5000);
      socket.terminate();
      const { retryInMs, error } = await hearer.state('waiting');
      assert.match(error.message, /was lost/);
      assert.equal(retryInMs, 250);
      clock.advance(retryInMs);
    }
  });

  it('connects at once when it is started while it waits', async () => {
    const { hearer, stream } = listen();
    (await server.caller()).socket.close(1013);
    await hearer.state('waiting');
    stream.start();
    (await server.caller()).socket.send(STARTED);
    await hearer.state('started');
    stream.start();
    assert.equal(hearer.states.at(-1)?.kind, 'started');
  });

  it('gives up a handshake after 10 s, and the wait for started after 45 s', async () => {
    const silent = createTcpServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = new URL(`ws://127.0.0.1:${(silent.address() as AddressInfo).port}/audio`);
    const handshake = listen({}, url);
    await handshake.hearer.state('connecting');
    handshake.clock.advance(10_000);
    assert.match(
      (await handshake.hearer.state('waiting')).error.message,
      /did not open a WebSocket within 10 s/,
    );
    silent.close();
    const { hearer, clock } = listen();
    const caller = await server.caller();
    caller.socket.send('{"type":"pong"}x');
    await hearer.until(() => hearer.notices.length === 1);
    clock.advance(30_000);
    caller.socket.send('{"type":"error","message":"x"}');
    await hearer.until(() => hearer.notices.length === 2);
    clock.advance(15_000);
    assert.match((await hearer.state('waiting')).error.message, /sent no "started" within 45 s/);
  });

  for (const [status, code, kind, text] of [
    [401, 'ORGO_BAD_TOKEN', 'refused', /rejected the password/],
    [403, 'ORGO_CONNECTION_FAILED', 'waiting', /answered HTTP 403 instead of opening a WebSocket/],
    [404, 'ORGO_COMPUTER_NOT_RUNNING', 'waiting', /was not found, or is not running/],
    [302, 'ORGO_CONNECTION_FAILED', 'waiting', /redirects \(HTTP 302\)/],
    [200, 'ORGO_CONNECTION_FAILED', 'waiting', /answered HTTP 200 instead of opening a WebSocket/],
    [502, 'ORGO_CONNECTION_FAILED', 'waiting', /answered HTTP 502/],
  ] as const) {
    it(`says what HTTP ${status} in place of a WebSocket means`, async () => {
      const { url, close } = await httpServer((_request, response) => {
        response.writeHead(status, { location: '/' }).end('<p>no');
      });
      const { hearer } = listen({}, new URL(url.href.replace('http', 'ws')));
      const { error } = await hearer.state(kind);
      assert.equal(error.code, code);
      assert.match(error.message, text);
      await close();
    });
  }

  it('says so where nothing listens, or the name does not resolve', async () => {
    const { url, close } = await httpServer(() => undefined);
    await close();
    const refused = listen({}, new URL(url.href.replace('http', 'ws')));
    assert.match((await refused.hearer.state('waiting')).error.message, /Nothing listens at 127\.0\.0\.1:/);
    const unknown = listen({}, new URL('ws://no-such-host.invalid/audio'));
    assert.match(
      (await unknown.hearer.state('waiting')).error.message,
      /no-such-host\.invalid does not resolve/,
    );
  });

  it('trusts no certificate that it was not told to trust', needs('openssl'), async () => {
    const { key, cert } = selfSigned();
    const secure = await FakeAudioServer.listen(createHttpsServer({ key, cert }), 'wss');
    const { hearer } = listen({}, secure.url);
    const { error } = await hearer.state('waiting');
    assert.equal(error.code, 'ORGO_CONNECTION_FAILED');
    assert.match(error.message, /is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\): choose a TLS configuration/);
    const told = listen({ tls: { ca: cert } }, secure.url);
    (await secure.caller()).socket.send(STARTED);
    await told.hearer.state('started');
    const plain = listen({}, new URL(server.url.href.replace('ws:', 'wss:')));
    assert.match((await plain.hearer.state('waiting')).error.message, /does not speak TLS/);
    const unreadable = listen({ tls: { cert: 'none', key: 'none' } }, secure.url);
    assert.equal((await unreadable.hearer.state('waiting')).error.code, 'ORGO_CONNECTION_FAILED');
    await told.stream.stop('closed');
    await secure.close();
  });

  it('stays away where the API says that it would be of no use', async () => {
    for (const code of ['ORGO_API_KEY_REJECTED', 'ORGO_API_FORBIDDEN'] as const) {
      const error = new OrgoError(code, 'no');
      const { hearer } = listen({ tokens: { renewable: true, get: () => Promise.reject(error) } });
      assert.equal((await hearer.state('refused')).error, error);
    }
    const error = new OrgoError('ORGO_API_NOT_FOUND', 'none');
    const { hearer } = listen({ tokens: { renewable: true, get: () => Promise.reject(error) } });
    assert.equal((await hearer.state('waiting')).error, error);
  });

  it('shows that the API makes it wait', async () => {
    const wait = new OrgoError('ORGO_API_UNAVAILABLE', 'slow down');
    const { hearer } = listen({
      tokens: {
        renewable: true,
        get: ({ onWait }) => {
          onWait?.(1000, wait);
          return new Promise(() => undefined);
        },
      },
    });
    assert.deepEqual(await hearer.state('authorizing'), { kind: 'authorizing', wait });
  });
});
