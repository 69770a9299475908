/** The page /listen: where it is, what guards it, and that it needs nothing but its own server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { relativeAddress } from '../../src/server/listen-page';
import { PASSWORD, ServerRig } from '../support/server-rig';

describe('the page /listen', () => {
  let rig: ServerRig;
  before(async () => {
    rig = await ServerRig.open({ pagePath: '/listen', allowedOrigins: ['https://elsewhere.example'] });
  });
  after(() => rig.close());

  const at = (path: string): string => rig.http(path);

  test('answers on its own paths alone', async () => {
    for (const path of [
      '/listen/',
      '/listen/constructor',
      '/listenx',
      '/listen/index.html',
      '/listen/../x',
    ]) {
      assert.equal((await fetch(at(path))).status, 404, path);
    }
    assert.equal((await fetch(at('/listen'), { method: 'POST' })).status, 405);
  });

  test('lets a browser load nothing but its own files, in a policy without exceptions', async () => {
    const { headers } = await fetch(at('/listen'));
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|\*|blob:|data:|https?:/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('access-control-allow-origin'), null);
  });

  test('lets any page import the player', async () => {
    const { headers } = await fetch(at('/listen/player.js'));
    assert.equal(headers.get('access-control-allow-origin'), '*');
    assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin');
  });

  test('may connect from its own origin, whatever other origins may', async () => {
    const statusFor = async (origin: string, headers = {}): Promise<number | undefined> => {
      const upgrade = request(at(`/audio?token=${PASSWORD}`), {
        headers: {
          ...{ Origin: origin, Connection: 'Upgrade', Upgrade: 'websocket' },
          ...{ 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' },
          ...headers,
        },
      }).end();
      const [response] = (await Promise.race([once(upgrade, 'upgrade'), once(upgrade, 'response')])) as [
        { statusCode?: number },
      ];
      upgrade.destroy();
      return response.statusCode;
    };
    assert.equal(await statusFor(at('')), 101);
    assert.equal(await statusFor('https://elsewhere.example'), 101);
    assert.equal(await statusFor('https://evil.example'), 403);
    assert.equal(await statusFor('https://evil.example', { Host: 'no.port:99999' }), 403);
  });

  test('finds its WebSocket by a relative address', () => {
    assert.equal(relativeAddress('/listen', '/audio'), './audio');
    assert.equal(relativeAddress('/red/audio/listen', '/red/audio'), './../audio');
    assert.equal(relativeAddress('/listen', '/deep/path'), './deep/path');
    assert.equal(relativeAddress('/a/b/listen', '/a/b'), './../b');
  });
});
