import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readComputerAnswer } from '../../src/client/computer-answer';

const HTTPS_API = new URL('https://www.orgo.ai/api/computers/x');
const HTTP_API = new URL('http://192.168.0.2:8765/api/computers/x');

const audioUrl = (api: URL, connection_url: unknown): string | undefined =>
  readComputerAnswer(api, { connection_url }).audioUrl?.href;

describe('the answer of "get computer"', () => {
  it('names the audio WebSocket below connection_url', () => {
    const expected = 'wss://www.orgo.ai/desktops/0123abcd/ws/audio';
    for (const given of [
      'https://www.orgo.ai/desktops/0123abcd',
      'https://www.orgo.ai/desktops/0123abcd//',
      'https://www.orgo.ai/desktops/0123abcd#top',
      'wss://www.orgo.ai:443/desktops/0123abcd',
    ]) {
      assert.equal(audioUrl(HTTPS_API, given), expected, given);
    }
    assert.equal(audioUrl(HTTPS_API, 'https://h:8443/a/b?x=1'), 'wss://h:8443/a/b/ws/audio?x=1');
    assert.equal(
      audioUrl(HTTP_API, 'http://192.168.0.2:8765/desktops/x'),
      'ws://192.168.0.2:8765/desktops/x/ws/audio',
    );
    assert.equal(audioUrl(HTTP_API, 'https://h/desktops/x'), 'wss://h/desktops/x/ws/audio');
    for (const none of [undefined, null, '', 7, {}]) assert.equal(audioUrl(HTTPS_API, none), undefined);
  });

  it('is not believed where the password would be less safe than the API key', () => {
    for (const [api, given, text] of [
      [
        HTTPS_API,
        'http://www.orgo.ai/desktops/x',
        /at http:\/\/www\.orgo\.ai\/desktops\/x, where no password/,
      ],
      [HTTPS_API, 'ws://www.orgo.ai/desktops/x', /begins with https:\/\/ or wss:\/\//],
      [HTTP_API, 'ftp://h/x', /begins with https:\/\/, wss:\/\/, http:\/\/ or ws:\/\//],
      [HTTP_API, 'file:///etc/passwd', /where no password is sent/],
      [HTTPS_API, 'javascript:alert(1)', /where no password is sent/],
      [HTTPS_API, 'https://me:sesame@h/x', /https:\/\/h\/x with a user name or password in it/],
      [HTTPS_API, 'https://me@h/x', /without them/],
      [HTTPS_API, '/desktops/x', /text that is not an address/],
    ] as const) {
      assert.throws(
        () => audioUrl(api, given),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'ORGO_BAD_ADDRESS');
          assert.match(error.message, text);
          assert.doesNotMatch(error.message, /sesame/);
          return true;
        },
        given,
      );
    }
  });
});
