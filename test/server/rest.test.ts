import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PASSWORD, ServerRig } from '../support/server-rig';

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
      const place = `ws://127.0.0.1:${rig.port.port}/desktops/any%20id`;
      const answer = { id: 'any id', status: 'running', connection_url: place };
      assert.deepEqual(await get(rig, '/api/computers/any%20id', { headers: BEARER }), [200, answer]);
      rig.audio.stop();
      const [, stopped] = await get(rig, '/api/computers/any%20id', { headers: BEARER });
      assert.deepEqual(stopped, { ...answer, status: 'stopped' });
    }));

  it('judges the key before the computer', () =>
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
        for (const id of ['desk', 'other']) {
          const [status, body] = await get(rig, `/api/computers/${id}/vnc-password`, { headers });
          assert.equal(status, 401);
          assert.match((body as { error: string }).error, /Bearer \{key\}/);
        }
      }
      assert.equal((await get(rig, '/api/computers/other/vnc-password', { headers: BEARER }))[0], 404);
    }));

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
