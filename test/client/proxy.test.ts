import assert from 'node:assert/strict';
import { createServer as createHttpsServer } from 'node:https';
import { afterEach, beforeEach, describe } from 'node:test';
import { OrgoApi } from '../../src/client/orgo-api';
import { enteredEndpoint } from '../../src/client/endpoint';
import { proxyFor, type Environment } from '../../src/network/proxy';
import { FakeClock } from '../nodes/fake-clock';
import { startConnectProxy, type ConnectProxy } from '../support/connect-proxy';
import { selfSigned } from './certificate';
import { FakeAudioServer, httpServer, listenTo, STARTED, type Listening } from './rig';
import { it } from '../support/hang-guard';

const PROXY = 'http://proxy.test:3128';

describe('proxyFor', () => {
  const proxyOf = (url: string, env: Environment): string | undefined =>
    proxyFor(new URL(url), env)?.url.href;

  it('reads the variable of the scheme, in lower case first', () => {
    const env = { HTTP_PROXY: 'http://plain', HTTPS_PROXY: 'http://upper', https_proxy: 'secure:8080' };
    for (const url of ['https://h/', 'wss://h/']) assert.equal(proxyOf(url, env), 'http://secure:8080/');
    for (const url of ['http://h/', 'ws://h/']) assert.equal(proxyOf(url, env), 'http://plain/');
    assert.equal(proxyOf('https://h/', { HTTPS_PROXY: '' }), undefined);
    assert.equal(proxyOf('https://h/', {}), undefined);
  });

  it('takes none to this machine', () => {
    for (const host of ['127.0.0.1:8765', '127.1.2.3', 'localhost:1', 'a.localhost', '[::1]']) {
      assert.equal(proxyOf(`ws://${host}/audio`, { HTTP_PROXY: PROXY }), undefined, host);
    }
  });

  it('obeys NO_PROXY', () => {
    const takes = (url: string, NO_PROXY: string): boolean =>
      proxyOf(url, { HTTPS_PROXY: PROXY, NO_PROXY }) !== undefined;
    for (const list of ['*', 'orgo.ai', '.orgo.ai', '*.orgo.ai', 'x, WWW.orgo.ai', 'x www.orgo.ai:443']) {
      assert.equal(takes('wss://www.orgo.ai/x', list), false, list);
    }
    for (const list of ['', 'go.ai', 'www.orgo.ai:8443', 'www.orgo.ai.test', ',', '.']) {
      assert.equal(takes('wss://www.orgo.ai/x', list), true, list);
    }
  });

  it('names the variable that holds no HTTP proxy, without its password', () => {
    for (const value of ['socks5://me:sesame@h:1080', 'http://']) {
      assert.throws(
        () => proxyOf('https://h/', { HTTPS_PROXY: value }),
        (error: Error) => {
          assert.match(error.message, /HTTPS_PROXY holds .*: it must be an http:\/\/ or https:\/\/ proxy/);
          return !error.message.includes('sesame');
        },
      );
    }
  });
});

describe('through a proxy', () => {
  let proxy: ConnectProxy;
  let env: Environment;
  let streams: Listening[];
  let servers: FakeAudioServer[];

  beforeEach(async () => {
    proxy = await startConnectProxy();
    const address = proxy.url.replace('//', '//me:se%20same@');
    env = { HTTP_PROXY: address, HTTPS_PROXY: address };
    streams = [];
    servers = [];
  });
  afterEach(async () => {
    for (const { stream, clock, hearer } of streams) {
      const stopped = stream.stop('closed');
      clock.advance(2000);
      await stopped;
      for (const state of hearer.states) {
        if ('error' in state) assert.doesNotMatch(state.error.message, /same/);
      }
    }
    // Its own sockets keep a server from closing.
    for (const server of servers) await server.close();
    await proxy.close();
  });

  function listen(server: FakeAudioServer, ca?: Buffer): Listening {
    // A name that only the proxy knows.
    const url = new URL(server.url.href.replace('127.0.0.1', 'computer.test'));
    const tls = ca && { ca, servername: '', checkServerIdentity: () => undefined };
    if (!servers.includes(server)) servers.push(server);
    const listening = listenTo(url, { endpoints: enteredEndpoint(url, 'sesame'), env, ...(tls && { tls }) });
    streams.push(listening);
    return listening;
  }

  it('sound is heard, plain and by TLS', async () => {
    const { key, cert } = selfSigned();
    const plain = await FakeAudioServer.listen();
    const secure = await FakeAudioServer.listen(createHttpsServer({ key, cert }), 'wss');
    for (const [server, ca] of [[plain], [secure, cert]] as const) {
      const { hearer } = listen(server, ca);
      (await server.caller()).socket.send(STARTED);
      await hearer.state('started');
    }
    assert.deepEqual(proxy.targets, [`computer.test:${plain.url.port}`, `computer.test:${secure.url.port}`]);
    assert.equal(proxy.credentials[0], `Basic ${Buffer.from('me:se same').toString('base64')}`);
    const untrusted = listen(secure);
    assert.match(
      (await untrusted.hearer.state('waiting')).error.message,
      /computer\.test:\d+ is not trusted/,
    );
  });

  it('the API is asked', async () => {
    const { url, close } = await httpServer((_request, response) => response.end('{"password":"p"}'));
    const apiUrl = new URL(url.href.replace('127.0.0.1', 'api.test'));
    const clock = new FakeClock();
    const api = new OrgoApi({ apiUrl, apiKey: 'sk_live_7', computerId: 'x', clock, env });
    assert.equal(await api.fetchToken({ signal: new AbortController().signal }), 'p');
    assert.deepEqual(proxy.targets, [`api.test:${url.port}`]);
    proxy.status = 407;
    await assert.rejects(api.fetchToken({ signal: new AbortController().signal }), {
      code: 'ORGO_API_UNREACHABLE',
      message:
        /the proxy http:\/\/127\.0\.0\.1:\d+ answered HTTP 407; check the environment variable HTTP_PROXY/,
    });
    proxy.status = 0;
    const asked = api.fetchToken({ signal: new AbortController().signal });
    setTimeout(() => clock.advance(15_000), 0);
    await assert.rejects(asked, /did not answer within 15 s/);
    await close();
  });

  it('what the proxy refuses, or that there is none, is said', async () => {
    const server = await FakeAudioServer.listen();
    proxy.status = 502;
    assert.match(
      (await listen(server).hearer.state('waiting')).error.message,
      /the proxy .* answered HTTP 502/,
    );
    const { url } = proxy;
    await proxy.close();
    assert.match(
      (await listen(server).hearer.state('waiting')).error.message,
      /the proxy http:.* can't be reached: connect ECONNREFUSED/,
    );
    env = { HTTP_PROXY: 'socks5://h' };
    assert.match(
      (await listen(server).hearer.state('waiting')).error.message,
      /HTTP_PROXY holds socks5:\/\/h/,
    );
    proxy = await startConnectProxy();
    assert.notEqual(proxy.url, url);
  });

  it('a proxy that never answers is left when the handshake takes too long, and when it is stopped', async () => {
    const server = await FakeAudioServer.listen();
    proxy.status = 0;
    for (const leave of ['limit', 'stop']) {
      const { hearer, clock, stream } = listen(server);
      await until(() => proxy.targets.length > 0);
      proxy.targets.length = 0;
      if (leave === 'limit') {
        clock.advance(10_000);
        assert.match((await hearer.state('waiting')).error.message, /did not open a WebSocket within 10 s/);
      } else {
        await stream.stop('stopped');
      }
      await until(() => proxy.open.size === 0);
    }
  });
});

/** Resolves once `holds`, looked at in every turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
