import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe } from 'node:test';
import { OrgoError, type OrgoErrorCode } from '../../src/audio/errors';
import { OrgoApi } from '../../src/client/orgo-api';
import { FakeClock } from '../nodes/fake-clock';
import { selfSigned } from './certificate';
import { needs } from '../support/needs';
import { httpServer } from './rig';
import { it } from '../support/hang-guard';

const KEY = 'sk_live_1234567890';
const PASSWORD = 'hunter2hunter2';
const json = (status: number, body: unknown): RequestListener => {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
};

describe('the REST API', () => {
  let clock: FakeClock;
  let closeServer: (() => Promise<void>) | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    closeServer = undefined;
  });
  afterEach(() => closeServer?.());

  async function apiOf(listener: RequestListener): Promise<OrgoApi> {
    const { url, close } = await httpServer(listener);
    closeServer = close;
    return new OrgoApi({ apiUrl: url, apiKey: KEY, computerId: 'a/b c', clock });
  }

  const fetchToken = (api: OrgoApi): Promise<string> =>
    api.fetchToken({ signal: new AbortController().signal });

  /** The error that an answer leads to; it never holds the key or the password. */
  async function errorOf(listener: RequestListener, code: OrgoErrorCode): Promise<string> {
    return errorFrom(fetchToken(await apiOf(listener)), code);
  }

  async function errorFrom(asked: Promise<string>, code: OrgoErrorCode): Promise<string> {
    const error: unknown = await asked.then(
      () => 'a password',
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof OrgoError, String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(!error.message.includes(KEY) && !error.message.includes(PASSWORD), error.message);
    assert.equal(clock.pending, 0, 'a timer is left');
    return error.message;
  }

  it('is asked with the key, for the computer by its encoded id', async () => {
    const asked: (string | undefined)[] = [];
    const api = await apiOf((request, response) => {
      asked.push(request.method, request.url, request.headers.authorization);
      json(200, { password: PASSWORD })(request, response);
    });
    assert.equal(await fetchToken(api), PASSWORD);
    assert.deepEqual(asked, ['GET', '/api/computers/a%2Fb%20c/vnc-password', `Bearer ${KEY}`]);
    assert.equal(clock.pending, 0);
  });

  it('may give a token that is preferred to the password', async () => {
    assert.equal(
      await fetchToken(await apiOf(json(200, { password: PASSWORD, desktop_api_token: 't' }))),
      't',
    );
    await closeServer?.();
    const nulled = await apiOf(json(200, { password: PASSWORD, desktop_api_token: null }));
    assert.equal(await fetchToken(nulled), PASSWORD);
  });

  const documented: [number, OrgoErrorCode, RegExp][] = [
    [400, 'ORGO_API_UNAVAILABLE', /not available: start it/],
    [401, 'ORGO_API_KEY_REJECTED', /key was rejected/],
    [403, 'ORGO_API_FORBIDDEN', /workspace/],
    [404, 'ORGO_API_NOT_FOUND', /no such computer, or it has no password/],
    [409, 'ORGO_API_UNAVAILABLE', /busy with another operation/],
    [500, 'ORGO_API_BAD_ANSWER', /The API failed/],
  ];
  for (const [status, code, text] of documented) {
    it(`that answers ${status} is explained, with what it said and the request's id`, async () => {
      const message = await errorOf(json(status, { error: `no ${KEY} for you`, request_id: 'r-17' }), code);
      assert.match(message, text);
      assert.ok(message.endsWith(`(HTTP ${status}, no *** for you, request r-17)`), message);
    });
  }

  it('that says to slow down is asked again after 1 s, doubling, at most 60 s', async () => {
    let left = 8;
    const api = await apiOf((request, response) => {
      json(left-- > 0 ? 429 : 200, { password: PASSWORD })(request, response);
    });
    const waits: number[] = [];
    const onWait = (ms: number, why: OrgoError): void => {
      waits.push(ms);
      assert.match(why.message, /Too many requests/);
      setImmediate(() => clock.advance(ms));
    };
    assert.equal(await api.fetchToken({ signal: new AbortController().signal, onWait }), PASSWORD);
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]);
  });

  it('that could not reach the desktop is asked again after 1, 2 and 4 s, then given up', async () => {
    const api = await apiOf(json(503, {}));
    const waits: number[] = [];
    const onWait = (ms: number): void => {
      waits.push(ms);
      setImmediate(() => clock.advance(ms));
    };
    const message = await errorFrom(
      api.fetchToken({ signal: new AbortController().signal, onWait }),
      'ORGO_API_UNAVAILABLE',
    );
    assert.match(message, /could not reach the desktop/);
    assert.deepEqual(waits, [1000, 2000, 4000]);
  });

  it('can be left while it makes wait', async () => {
    const api = await apiOf(json(429, {}));
    const abort = new AbortController();
    const left = new Error('left');
    const asked = api.fetchToken({
      signal: abort.signal,
      onWait: () => setImmediate(() => abort.abort(left)),
    });
    await assert.rejects(asked, left);
    assert.equal(clock.pending, 0);
  });

  it('that is a web page is none', async () => {
    const html: RequestListener = (_request, response) => response.end('<!doctype html><p>Welcome');
    assert.match(await errorOf(html, 'ORGO_API_BAD_ANSWER'), /answered with a web page: check apiUrl/);
  });

  it('that answers 500 with a web page is explained without the page', async () => {
    const html: RequestListener = (_request, response) => response.writeHead(500).end('<p>Oops');
    assert.match(await errorOf(html, 'ORGO_API_BAD_ANSWER'), /\(HTTP 500\)$/);
  });

  for (const body of ['', '[]', 'null', '"x"', '{"password":', '{}', '{"password":7}', '{"password":""}']) {
    it(`that answers ${body || 'nothing'} has no password for us`, async () => {
      await errorOf((_request, response) => response.end(body), 'ORGO_API_BAD_ANSWER');
    });
  }

  it('that answers with half of a character for a password is broken', async () => {
    const message = await errorOf(
      (_request, response) => response.end('{"password":"se\\ud800same"}'),
      'ORGO_API_BAD_ANSWER',
    );
    assert.match(message, /a password that holds half of a character/);
    assert.doesNotMatch(message, /same/);
  });

  it('that answers 403 for a key of another workspace is quoted with both workspaces', async () => {
    const body = {
      error: 'wrong workspace',
      code: 'workspace_scope_mismatch',
      key_workspace_id: 'w-1',
      target_workspace_id: 'w-2',
    };
    assert.match(
      await errorOf(json(403, body), 'ORGO_API_FORBIDDEN'),
      /key is of workspace w-1, but the computer is of workspace w-2: .*\(HTTP 403, wrong workspace\)$/,
    );
  });

  it('that redirects is not followed with the key', async () => {
    let asked = 0;
    const message = await errorOf((_request, response) => {
      asked += 1;
      response.writeHead(302, { location: `http://127.0.0.1:1/elsewhere?key=${KEY}` }).end();
    }, 'ORGO_API_BAD_ANSWER');
    assert.match(
      message,
      /redirects to http:\/\/127\.0\.0\.1:1\/elsewhere, where the API key must not follow/,
    );
    assert.equal(asked, 1);
  });

  it('that says nothing for 15 s is given up', async () => {
    const api = await apiOf(() => clock.advance(15_000));
    assert.match(await errorFrom(fetchToken(api), 'ORGO_API_UNREACHABLE'), /did not answer within 15 s/);
  });

  it('that begins an answer and never ends it is given up as well', async () => {
    const api = await apiOf((_request, response) => {
      response.write('{"pass');
      setImmediate(() => clock.advance(15_000));
    });
    assert.match(await errorFrom(fetchToken(api), 'ORGO_API_UNREACHABLE'), /did not answer within 15 s/);
  });

  it('that answers without end is cut off', async () => {
    const message = await errorOf((_request, response) => {
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(16_384), () => setImmediate(more));
      };
      more();
    }, 'ORGO_API_BAD_ANSWER');
    assert.match(message, /more than 65536 bytes/);
  });

  it('that cuts the connection is said to', async () => {
    await errorOf((request) => request.socket.destroy(), 'ORGO_API_UNREACHABLE');
  });

  it('whose name does not resolve is said to', async () => {
    const apiUrl = new URL('http://no-such-host.invalid/api');
    const api = new OrgoApi({ apiUrl, apiKey: KEY, computerId: 'x', clock });
    assert.match(
      await errorFrom(fetchToken(api), 'ORGO_API_UNREACHABLE'),
      /no-such-host\.invalid does not resolve/,
    );
  });

  it('where nothing listens is said to', async () => {
    const { url, close } = await httpServer(() => undefined);
    await close();
    const api = new OrgoApi({ apiUrl: url, apiKey: KEY, computerId: 'x', clock });
    assert.match(
      await errorFrom(fetchToken(api), 'ORGO_API_UNREACHABLE'),
      /Nothing listens at 127\.0\.0\.1:/,
    );
  });

  it('whose certificate is not trusted is left, unless TLS is told of it', needs('openssl'), async () => {
    const { key, cert } = selfSigned();
    const server = createServer({ key, cert }, json(200, { password: PASSWORD })).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closeServer = async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    const apiUrl = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/api`);
    const options = { apiUrl, apiKey: KEY, computerId: 'x', clock };
    const message = await errorFrom(fetchToken(new OrgoApi(options)), 'ORGO_API_UNREACHABLE');
    assert.match(message, /certificate of 127\.0\.0\.1:\d+ is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    assert.equal(await fetchToken(new OrgoApi({ ...options, tls: { ca: cert } })), PASSWORD);
    const named = new OrgoApi({ ...options, tls: { ca: cert, servername: 'audio.inside' } });
    assert.equal(await fetchToken(named), PASSWORD, 'the name of the audio server is not asked of the API');
    const unchecked = new OrgoApi({ ...options, tls: { rejectUnauthorized: false } });
    assert.match(
      await errorFrom(fetchToken(unchecked), 'ORGO_API_UNREACHABLE'),
      /is not trusted/,
      'what is meant for the audio server does not hold for the API key',
    );
  });
});
