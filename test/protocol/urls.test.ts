import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { desktopAudioPath, fillTemplate, HOSTED_AUDIO_URL, routeOf } from '../../src/protocol/urls';

describe('fillTemplate', () => {
  it('puts the id in wherever it is asked for, encoded', () => {
    assert.equal(fillTemplate(HOSTED_AUDIO_URL, 'abc-1'), 'wss://abc-1.orgo.dev/audio');
    assert.equal(fillTemplate('ws://h/{computer_id}/{computer_id}', 'a b/c'), 'ws://h/a%20b%2Fc/a%20b%2Fc');
    assert.equal(fillTemplate('ws://h/{computer_id}', '$&'), 'ws://h/%24%26');
    assert.equal(fillTemplate('ws://h/audio', 'abc'), 'ws://h/audio');
  });
});

describe('routeOf', () => {
  it('knows the four routes', () => {
    assert.deepEqual(routeOf('/audio', '/audio'), { kind: 'audio' });
    assert.deepEqual(routeOf('/desktops/x%20y/ws/audio', '/audio'), {
      kind: 'desktop-audio',
      computerId: 'x y',
    });
    assert.deepEqual(routeOf('/api/computers/x', '/audio'), { kind: 'computer', computerId: 'x' });
    assert.deepEqual(routeOf('/api/computers/x/vnc-password', '/audio'), {
      kind: 'password',
      computerId: 'x',
    });
  });

  it('knows the audio by its configured path alone', () => {
    assert.equal(routeOf('/audio', '/sound'), undefined);
    assert.deepEqual(routeOf('/a.b', '/a.b'), { kind: 'audio' });
    assert.equal(routeOf('/aXb', '/a.b'), undefined);
  });

  it('knows no path that is spelled otherwise, and no id that could be taken for a path', () => {
    for (const path of [
      '',
      '/',
      '/audio/',
      '/AUDIO',
      '/%61udio',
      '//audio',
      '/audio%00',
      '/desktops//ws/audio',
      '/desktops/a/b/ws/audio',
      '/desktops/a/ws/audio/',
      '/x/desktops/a/ws/audio',
      '/desktops/%2e%2e/ws/audio',
      '/desktops/../ws/audio',
      '/desktops/./ws/audio',
      '/desktops/a%2Fb/ws/audio',
      '/desktops/a%5Cb/ws/audio',
      '/desktops/a%00/ws/audio',
      '/desktops/a%0d%0ab/ws/audio',
      '/desktops/%zz/ws/audio',
      '/desktops/%c0%af/ws/audio',
      '/desktops/a\n/ws/audio',
      '/api/computers/',
      '/api/computers/%2e%2e/vnc-password',
      '/api/computers/a/vnc-password/',
      '/api/computers/a/other',
    ]) {
      assert.equal(routeOf(path, '/audio'), undefined, path);
    }
  });

  it('reads back any id that desktopAudioPath wrote, but those it refuses', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (id) => {
        // eslint-disable-next-line no-control-regex -- what is refused
        const refused = /[/\\\u0000-\u001f]/.test(id) || id === '.' || id === '..';
        const wanted = refused ? undefined : { kind: 'desktop-audio', computerId: id };
        assert.deepEqual(routeOf(desktopAudioPath(id), '/audio'), wanted);
      }),
    );
  });
});
