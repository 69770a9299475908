import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OrgoError } from '../../src/audio/errors';
import { parseSettings } from '../../src/settings/read';
import { address, boolean, number, oneOf, optionalNumber, secret, text } from '../../src/settings/setting';

const SETTINGS = {
  sampleRate: oneOf(24000, [8000, 16000, 24000]),
  port: number(8765, { min: 1, max: 65535, integer: true }),
  mode: oneOf('own', ['own', 'node-red']),
  autoStart: boolean(true),
  device: text(),
};

/** The text of the refusal of `config`. */
function refusal(
  config: Record<string, unknown>,
  settings: Parameters<typeof parseSettings>[0] = SETTINGS,
): string {
  try {
    parseSettings(settings, config);
  } catch (error) {
    assert.ok(error instanceof OrgoError);
    assert.equal(error.code, 'ORGO_BAD_SETTING');
    return error.message;
  }
  return assert.fail('it was accepted');
}

describe('settings of a node', () => {
  it('take their defaults where a flow leaves them out', () => {
    const defaults = { sampleRate: 24000, port: 8765, mode: 'own', autoStart: true, device: '' };
    assert.deepEqual(parseSettings(SETTINGS, {}), defaults);
    assert.deepEqual(parseSettings(SETTINGS, undefined), defaults);
    assert.deepEqual(parseSettings(SETTINGS, { port: null }), defaults);
  });

  it('may hold numbers and booleans as text, since environment variables are text', () => {
    const read = parseSettings(SETTINGS, {
      sampleRate: ' 16000 ',
      port: '80',
      autoStart: 'false',
      device: 7,
    });
    assert.deepEqual(read, { sampleRate: 16000, port: 80, mode: 'own', autoStart: false, device: '7' });
  });

  it('are refused by name, value and range', () => {
    assert.equal(refusal({ port: 70000 }), 'port is 70000: it must be a whole number from 1 to 65535');
    assert.equal(refusal({ port: '0x50' }), 'port is "0x50": it must be a whole number from 1 to 65535');
    assert.equal(refusal({ port: 80.5 }), 'port is 80.5: it must be a whole number from 1 to 65535');
    assert.equal(refusal({ port: '' }), 'port is empty: it must be a whole number from 1 to 65535');
    assert.equal(refusal({ sampleRate: '1e9' }), 'sampleRate is "1e9": it must be one of 8000, 16000, 24000');
    assert.equal(refusal({ mode: 'other' }), 'mode is "other": it must be one of own, node-red');
    assert.equal(refusal({ autoStart: 'perhaps' }), 'autoStart is "perhaps": it must be true or false');
    assert.equal(refusal({ device: { a: 1 } }), 'device is {"a":1}: it must be text');
  });

  it('are all named in one error', () => {
    assert.match(refusal({ port: -1, mode: 1 }), /^port is -1: .*; mode is 1: /);
  });

  it('tell of an environment variable that is not set', () => {
    assert.equal(
      refusal({ port: '${AUDIO_PORT}' }),
      'port is ${AUDIO_PORT}, but the environment variable AUDIO_PORT is not set: set it to a whole number from 1 to 65535',
    );
    assert.match(refusal({ device: '$(SINK)' }), /environment variable SINK is not set/);
    assert.match(refusal({ device: '${HOST}/x' }), /only where it is the whole setting/);
  });

  it('never show a secret', () => {
    assert.doesNotMatch(refusal({ password: { hidden: 'sesame' } }, { password: secret() }), /sesame/);
    assert.match(
      refusal({ password: '${PASSWORD}' }, { password: secret() }),
      /variable PASSWORD is not set/,
    );
    assert.deepEqual(parseSettings({ password: secret() }, { password: ' a${b}c ' }), {
      password: ' a${b}c ',
    });
  });

  it('may be left blank where blank means something', () => {
    const settings = {
      rate: optionalNumber({ min: 8000, max: 192_000, integer: true }),
      frameMs: number(0, { min: 1, max: 5000, or: 0 }),
      url: address('', ['https:', 'http:']),
    };
    const blank = parseSettings(settings, { rate: ' ', url: '' });
    assert.deepEqual(blank, { rate: undefined, frameMs: 0, url: '' });
    const filled = { rate: 8000, frameMs: 1, url: 'https://a.example/v1' };
    assert.deepEqual(parseSettings(settings, { ...filled, rate: '8000' }), filled);
    assert.equal(
      refusal({ rate: 7999 }, settings),
      'rate is 7999: it must be blank, or a whole number from 8000 to 192000',
    );
    assert.equal(
      refusal({ frameMs: 0.5 }, settings),
      'frameMs is 0.5: it must be 0, or a number from 1 to 5000',
    );
    assert.match(refusal({ frameMs: '' }, settings), /frameMs is empty/);
  });

  it('that are addresses are shown without their query, which may hold a password', () => {
    const settings = { audioUrl: address('wss://{computer_id}.orgo.dev/audio', ['wss:', 'ws:']) };
    assert.equal(
      refusal({ audioUrl: 'https://x/audio?token=sesame' }, settings),
      'audioUrl is "https://x/audio": it must be blank, or an address that begins with wss:// or ws://',
    );
    for (const config of [{}, { audioUrl: '' }]) {
      assert.equal(parseSettings(settings, config).audioUrl, 'wss://{computer_id}.orgo.dev/audio');
    }
  });

  it('read secrets from the credentials, all else from the flow', () => {
    const settings = { device: text(), password: secret() };
    const read = parseSettings(
      settings,
      { device: 'a', password: 'flow' },
      { device: 'b', password: 'kept' },
    );
    assert.deepEqual(read, { device: 'a', password: 'kept' });
  });

  it('hold every number within their bounds, as number and as text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65535 }), (port) => {
        assert.equal(parseSettings(SETTINGS, { port }).port, port);
        assert.equal(parseSettings(SETTINGS, { port: String(port) }).port, port);
      }),
    );
  });
});
