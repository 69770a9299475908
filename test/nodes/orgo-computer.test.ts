import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { computerOf, type Computer } from '../../nodes/orgo-computer/computer';
import register from '../../nodes/orgo-computer/orgo-computer';
import { FakeRed } from './fake-red';

const ID = 'a3bb189e-8bf9-3888-9912-ace4e6543002';
const OWN = { audioUrl: 'ws://127.0.0.1:8765/audio' };

describe('orgo-computer', () => {
  let red: FakeRed;

  beforeEach(() => {
    red = new FakeRed();
    register(red);
  });

  function computer(config: Record<string, unknown>, credentials: Record<string, unknown>): Computer {
    const node = red.create('orgo-computer', config, credentials);
    assert.deepEqual(node.errors, []);
    return computerOf(red, node.id);
  }

  /** The one error that a node with these settings reports. */
  function problem(config: Record<string, unknown>, credentials: Record<string, unknown>): string {
    const node = red.create('orgo-computer', config, credentials);
    assert.equal(node.errors.length, 1);
    assert.throws(() => computerOf(red, node.id), { code: 'ORGO_BAD_SETTING' });
    return node.errors[0] ?? '';
  }

  it('keeps password and API key as credentials of type password', () => {
    assert.deepEqual(red.types.get('orgo-computer')?.options.credentials, {
      apiKey: { type: 'password' },
      password: { type: 'password' },
    });
  });

  it('is by default a hosted computer, whose password the API knows', () => {
    const { audioUrl, topic, tokens } = computer({ computerId: ID }, { apiKey: ' key\n' });
    assert.equal(audioUrl.href, `wss://${ID}.orgo.dev/audio`);
    assert.equal(topic, ID);
    assert.equal(tokens.renewable, true);
  });

  it('may be at the newer address', () => {
    const newer = 'wss://www.orgo.ai/desktops/{computer_id}/ws/audio';
    const { audioUrl } = computer({ computerId: 'a/b', audioUrl: newer }, { apiKey: 'key' });
    assert.equal(audioUrl.href, 'wss://www.orgo.ai/desktops/a%2Fb/ws/audio');
  });

  it('may be a server of our own, which needs a password and nothing else', async () => {
    const { audioUrl, topic, tokens } = computer(OWN, { password: ' as it is ' });
    assert.equal(audioUrl.href, OWN.audioUrl);
    assert.equal(topic, '127.0.0.1:8765');
    assert.equal(tokens.renewable, false);
    assert.equal(await tokens.get({ signal: new AbortController().signal }), ' as it is ');
  });

  it('does not ask the API where a password is given', () => {
    assert.equal(computer({ computerId: ID }, { apiKey: 'key', password: 'p' }).tokens.renewable, false);
  });

  it('says what is missing', () => {
    assert.match(problem({}, { apiKey: 'key' }), /computerId is empty, but audioUrl holds \{computer_id\}/);
    assert.match(problem({ computerId: ID }, {}), /Neither password nor apiKey is set/);
    assert.match(problem(OWN, { apiKey: 'key' }), /computerId is empty: enter the id/);
    assert.match(problem({ ...OWN, tls: 'gone' }, { password: 'p' }), /no such TLS configuration/);
  });

  it('says what is wrong, without showing what may be secret', () => {
    const pasted = { computerId: ID, audioUrl: 'https://x/audio?token=sesame' };
    assert.match(
      problem(pasted, { password: 'p' }),
      /audioUrl is "https:\/\/x\/audio": .* wss:\/\/ or ws:\/\//,
    );
    assert.match(problem({ ...OWN, audioUrl: 'orgo' }, { password: 'p' }), /audioUrl is "orgo"/);
    assert.match(problem({ computerId: ID, apiUrl: 'ftp://x' }, { apiKey: 'k' }), /apiUrl is "ftp:\/\/x"/);
    const key = problem({ computerId: ID }, { apiKey: 'se same' });
    assert.match(key, /apiKey holds a space/);
    assert.doesNotMatch(key, /se same/);
  });

  it('says which environment variable is not set', () => {
    assert.match(
      problem({ computerId: '${ORGO_COMPUTER_ID}' }, { apiKey: 'k' }),
      /ORGO_COMPUTER_ID is not set/,
    );
    assert.match(problem({ computerId: ID }, { apiKey: '${ORGO_API_KEY}' }), /ORGO_API_KEY is not set/);
    assert.match(problem(OWN, { password: '${SECRET}' }), /SECRET is not set/);
  });

  it('uses the TLS configuration for both ends, its server name for the audio alone', () => {
    red.instances.set('tls', {
      valid: true,
      addTLSOptions: (options: object) => Object.assign(options, { ca: 'CA', servername: 'inside' }),
    });
    const { tls } = computer({ computerId: ID, tls: 'tls' }, { apiKey: 'key' });
    assert.deepEqual(tls, { ca: 'CA', servername: 'inside' });
  });

  it('is found by its id alone', () => {
    assert.throws(() => computerOf(red, ''), /No computer is chosen/);
    assert.throws(() => computerOf(red, 'gone'), /There is no computer gone/);
  });
});
