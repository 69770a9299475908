import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe } from 'node:test';
import { systemClock } from '../../src/audio/clock';
import { OrgoApi } from '../../src/client/orgo-api';
import { FakeClock } from '../nodes/fake-clock';
import { PASSWORD, ServerRig, TestClient } from '../support/server-rig';
import { it } from '../support/hang-guard';

const KEY = 'sk-test';
const BEARER = { Authorization: `Bearer ${KEY}` };

async function withRig(
  options: Parameters<typeof ServerRig.open>[0],
  body: (rig: ServerRig) => Promise<void>,
): Promise<void> {
  const rig = await ServerRig.open(options);
  try {
    await body(rig);
  } finally {
    await rig.close();
  }
}

async function get(rig: ServerRig, path: string, init: RequestInit = {}): Promise<[number, unknown]> {
  const response = await fetch(rig.http(path), init);
  return [response.status, await response.json()];
}

describe('REST', () => {
  it('gives the password to who holds the key', () =>
    withRig({ apiKey: KEY, computerId: 'desk' }, async (rig) => {
      assert.deepEqual(await get(rig, '/api/computers/desk/vnc-password', { headers: BEARER }), [
        200,
        { password: PASSWORD },
      ]);
    }));

  it('tells the state and where to connect', () =>
    withRig({ apiKey: KEY }, async (rig) => {
      const answer = {
        id: 'any id',
        instance_id: 'any id',
        status: 'running',
        hostname: '127.0.0.1',
        connection_url: `http://127.0.0.1:${rig.port.port}/desktops/any%20id`,
        vnc_password: PASSWORD,
      };
      assert.deepEqual(await get(rig, '/api/computers/any%20id', { headers: BEARER }), [200, answer]);
      rig.audio.stop();
      const [, stopped] = await get(rig, '/api/computers/any%20id', { headers: BEARER });
      assert.deepEqual(stopped, { ...answer, status: 'stopped' });
    }));

  for (const id of ['desk', 'other']) {
    it(`judges the key before the computer '${id}'`, () =>
      withRig({ apiKey: KEY, computerId: 'desk' }, async (rig) => {
        const wrong: Record<string, string>[] = [
          {},
          { Authorization: 'Bearer wrong' },
          { Authorization: KEY },
          { Authorization: `Basic ${KEY}` },
          { Authorization: 'Bearer ' },
          { Authorization: `Bearer ${'x'.repeat(8000)}` },
        ];
        for (const headers of wrong) {
          const [status, body] = await get(rig, `/api/computers/${id}/vnc-password`, { headers });
          assert.equal(status, 401);
          assert.match((body as { error: string }).error, /Bearer \{key\}/);
        }
        const [status] = await get(rig, `/api/computers/${id}/vnc-password`, { headers: BEARER });
        assert.equal(status, id === 'desk' ? 200 : 404);
      }));
  }

  it('bounds the size of what comes with a request', () =>
    withRig({ apiKey: KEY }, async (rig) => {
      const headers = { Authorization: `Bearer ${'x'.repeat(100_000)}` };
      assert.equal((await fetch(rig.http('/api/computers/desk'), { headers })).status, 431);
    }));

  it('is not there without a key', () =>
    withRig({}, async (rig) => {
      assert.equal((await get(rig, '/api/computers/desk/vnc-password', { headers: BEARER }))[0], 404);
    }));

  it('answers 404 elsewhere, 405 to other methods, 426 where a WebSocket is', () =>
    withRig({ apiKey: KEY }, async (rig) => {
      assert.equal((await get(rig, '/'))[0], 404);
      assert.equal((await get(rig, '/api/computers/../../etc/passwd'))[0], 404);
      assert.equal((await get(rig, '/api/computers/a%2fb/vnc-password', { headers: BEARER }))[0], 404);
      assert.equal((await get(rig, '/api/computers/desk', { method: 'POST', headers: BEARER }))[0], 405);
      assert.equal((await get(rig, '/audio'))[0], 426);
    }));

  it('answers preflights, for the origins of the WebSocket alone', () =>
    withRig({ apiKey: KEY, allowedOrigins: ['https://good.example'] }, async (rig) => {
      const preflight = async (origin: string): Promise<Response> =>
        fetch(rig.http('/api/computers/desk/vnc-password'), {
          method: 'OPTIONS',
          headers: { Origin: origin },
        });
      const good = await preflight('https://good.example');
      assert.equal(good.status, 204);
      assert.equal(good.headers.get('access-control-allow-origin'), 'https://good.example');
      assert.equal(good.headers.get('access-control-allow-headers'), 'Authorization');
      const evil = await preflight('https://evil.example');
      assert.equal(evil.headers.get('access-control-allow-origin'), null);
    }));
});

describe('the address that REST names', () => {
  const described = async (
    options: Parameters<typeof ServerRig.open>[0],
    headers: Record<string, string>,
    path = '/api/computers/desk',
  ): Promise<Record<string, string>> => {
    let body: unknown;
    await withRig({ apiKey: KEY, ...options }, async (rig) => {
      [, body] = await get(rig, path, { headers: { ...BEARER, ...headers } });
    });
    return body as Record<string, string>;
  };

  it('is the one behind a trusted proxy with TLS, its port and its path included', async () => {
    for (const [headers, url, hostname] of [
      [{ 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'audio.example' }, 'https://audio.example'],
      [{ 'X-Forwarded-Proto': 'https,http', 'X-Forwarded-Host': 'a.example, b' }, 'https://a.example'],
      [{ 'X-Forwarded-Proto': 'wss', 'X-Forwarded-Host': 'a.example:8443' }, 'https://a.example:8443'],
      [
        { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'a.example', 'X-Forwarded-Port': '8443' },
        'https://a.example:8443',
      ],
      [
        { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'a.example', 'X-Forwarded-Port': '443' },
        'https://a.example',
      ],
      [{ 'X-Forwarded-Host': 'a.example', 'X-Forwarded-Prefix': '/sound/' }, 'http://a.example/sound'],
      [{ 'X-Forwarded-Host': '[2001:db8::1]:81' }, 'http://[2001:db8::1]:81', '[2001:db8::1]'],
    ] as const) {
      const answer = await described({ trustProxy: true }, headers);
      assert.equal(answer['connection_url'], `${url}/desktops/desk`);
      assert.equal(answer['hostname'], hostname ?? new URL(url).hostname);
    }
  });

  it('holds the path before all others', async () => {
    const answer = await described({ basePath: '/red' }, {}, '/red/api/computers/desk');
    assert.match(answer['connection_url'] ?? '', /^http:\/\/127\.0\.0\.1:\d+\/red\/desktops\/desk$/);
  });

  it('is never what a client without a trusted proxy says, nor what is no host', async () => {
    const own = /^http:\/\/127\.0\.0\.1:\d+\/desktops\/desk$/;
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.example' };
    assert.match((await described({}, headers))['connection_url'] ?? '', own);
    for (const host of ['evil.example/path', 'user@evil.example', 'a b', '']) {
      const answer = await described({ trustProxy: true }, { 'X-Forwarded-Host': host });
      assert.match(answer['connection_url'] ?? '', own, host);
    }
  });
});

describe('wrong API keys', () => {
  const WRONG = { headers: { Authorization: 'Bearer wrong' } };
  const path = '/api/computers/desk';
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  /** Waits until `answer` is put off, which `isPutOff` tells; fails where it comes instead. */
  const untilPutOff = async (answer: Promise<unknown>, isPutOff: () => boolean): Promise<void> => {
    let came: unknown;
    void answer.then((value) => (came = value));
    while (!isPutOff()) {
      assert.equal(came, undefined, 'the answer came at once');
      await turns();
    }
  };
  /** The status of an answer that comes at once; fails where it is put off, as the `count`th. */
  const statusAtOnce = async (answer: Promise<[number, unknown]>, clock: FakeClock, count: number) => {
    let came: [number, unknown] | undefined;
    void answer.then((value) => (came = value));
    while (!came) {
      assert.ok(clock.pending < count, 'the answer was put off');
      await turns();
    }
    return came;
  };

  it('are answered later and later from the eleventh in a minute on; the right one never waits', () => {
    const clock = new FakeClock();
    return withRig({ apiKey: KEY, clock }, async (rig) => {
      for (let i = 0; i < 10; i++) assert.equal((await get(rig, path, WRONG))[0], 401);
      const eleventh = get(rig, path, WRONG);
      await untilPutOff(eleventh, () => clock.nextIn === 1000);
      assert.equal((await get(rig, path, { headers: BEARER }))[0], 200);
      assert.equal((await rig.connect('token=wrong').untilClosed()).code, 4401, 'tokens count apart');
      clock.advance(1000);
      assert.equal((await eleventh)[0], 401);
    });
  });

  it('wait 32 at a time, whether or not the guesser hangs up; then 429, but not for the right one', () => {
    const clock = new FakeClock();
    // With a proxy in front no connection is timed, so that the clock holds the answers that wait, and nothing else.
    return withRig({ apiKey: KEY, clock, trustProxy: true }, async (rig) => {
      for (let i = 0; i < 10; i++) await get(rig, path, WRONG);
      const leaving = new AbortController();
      const waiting = Array.from({ length: 32 }, () =>
        get(rig, path, { ...WRONG, signal: leaving.signal }).catch(() => [0]),
      );
      await untilPutOff(Promise.race(waiting), () => clock.pending === 32);
      const [status, body] = await statusAtOnce(get(rig, path, WRONG), clock, 33);
      assert.equal(status, 429);
      assert.match((body as { error: string }).error, /Too many wrong API keys/);
      leaving.abort();
      await Promise.all(waiting);
      await turns();
      assert.equal(clock.pending, 32, 'who hung up still waits');
      assert.equal((await statusAtOnce(get(rig, path, WRONG), clock, 33))[0], 429);
      assert.equal((await get(rig, path, { headers: BEARER }))[0], 200, 'the right key is judged first');
      clock.advance(31_000);
      const later = get(rig, path, WRONG);
      await untilPutOff(later, () => clock.pending > 0);
      clock.advance(31_000);
      assert.equal((await later)[0], 401);
    });
  });

  it('are answered at once when the server closes', async () => {
    const clock = new FakeClock();
    const rig = await ServerRig.open({ apiKey: KEY, clock });
    for (let i = 0; i < 10; i++) await get(rig, path, WRONG);
    const waiting = get(rig, path, WRONG);
    await untilPutOff(waiting, () => clock.nextIn === 1000);
    const closed = rig.audio.close();
    assert.equal((await waiting)[0], 401);
    await closed;
    await rig.close();
  });
});

it('a client of ours finds the computer by the server, and connects', () =>
  withRig({ apiKey: KEY, computerId: 'desk' }, async (rig) => {
    const api = new OrgoApi({
      apiUrl: new URL(rig.http('/api')),
      apiKey: KEY,
      computerId: 'desk',
      clock: systemClock,
    });
    const { signal } = new AbortController();
    assert.equal(await api.fetchToken({ signal }), PASSWORD);
    const { audioUrl, token } = await api.fetchComputer({ signal });
    assert.equal(token, PASSWORD);
    assert.equal(audioUrl?.pathname, '/desktops/desk/ws/audio');
    audioUrl.search = `?token=${PASSWORD}`;
    const client = new TestClient(audioUrl.href.replace(/^http/, 'ws'));
    await once(client.webSocket, 'open');
    client.send({ type: 'ping' });
    await client.until(() => client.texts.length === 1);
    client.webSocket.close();
  }));
