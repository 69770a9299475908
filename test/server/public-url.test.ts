/** By which address a client reached the server, and whether a page comes from there. */
import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { isOwnOrigin, publicUrl } from '../../src/server/public-url';

function asked(headers: IncomingHttpHeaders): Parameters<typeof publicUrl>[0] {
  return { headers, socket: new Socket() };
}

describe('isOwnOrigin', () => {
  for (const [what, headers, trusts, isOwn] of [
    ['no browser', { host: 'a' }, false, true],
    ['the same host and port', { host: 'a:1880', origin: 'http://a:1880' }, false, true],
    ["a scheme's own port", { host: 'a', origin: 'https://a:443' }, false, true],
    ["a scheme's own port, which a proxy says", { host: 'a:443', origin: 'https://a' }, false, true],
    ['another port', { host: 'a:1880', origin: 'http://a:1881' }, false, false],
    ['another host', { host: 'a', origin: 'https://b' }, false, false],
    ['a sandboxed page', { host: 'a', origin: 'null' }, false, false],
    ['a file', { host: '', origin: 'file://' }, false, false],
    ['an extension that asks no host', { host: '', origin: 'chrome-extension://a' }, false, false],
    [
      'a proxy that is trusted',
      { host: 'inner:1880', 'x-forwarded-host': 'a, b', origin: 'https://a' },
      true,
      true,
    ],
    [
      'a port that a trusted proxy names',
      { host: 'inner', 'x-forwarded-host': 'a', 'x-forwarded-port': '8443', origin: 'https://a:8443' },
      true,
      true,
    ],
    [
      'a proxy that is not',
      { host: 'inner:1880', 'x-forwarded-host': 'a', origin: 'https://a' },
      false,
      false,
    ],
    ['a trusted proxy that sends Host', { host: 'a', origin: 'https://a' }, true, true],
  ] as const) {
    it(`${what}: ${isOwn ? 'let in' : 'refused'}`, () => {
      assert.equal(isOwnOrigin(asked(headers), trusts), isOwn);
    });
  }
});

describe('headers that name no host', () => {
  for (const host of ['a:99999', '1.2.3.4.5', '[::g]', 'a/b', 'a@b', '']) {
    it(`are passed over: ${JSON.stringify(host)}`, () => {
      const headers = { host, 'x-forwarded-host': host, 'x-forwarded-port': '99999' };
      assert.equal(publicUrl(asked(headers), true).host, '127.0.0.1:0');
      assert.equal(isOwnOrigin(asked({ ...headers, origin: 'https://b' }), true), false);
    });
  }
});
