import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { computerOf } from '../../nodes/orgo-computer/computer';
import type { Computer } from '../../src/client/computer';
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

  it('is by default a hosted computer, whose address and password the API knows', () => {
    const { topic, endpoints } = computer({ computerId: ID }, { apiKey: ' key\n' });
    assert.equal(topic, ID);
    assert.deepEqual([endpoints.renewsToken, endpoints.renewsAddress], [true, true]);
  });

  it('may have a password of its own where the API is asked for the address', () => {
    const { endpoints } = computer({ computerId: ID }, { apiKey: 'key', password: 'p' });
    assert.deepEqual([endpoints.renewsToken, endpoints.renewsAddress], [false, true]);
  });

  for (const [older, expected] of [
    ['wss://{computer_id}.orgo.dev/audio', `wss://${ID}.orgo.dev/audio`],
    ['wss://www.orgo.ai/desktops/{computer_id}/ws/audio', `wss://www.orgo.ai/desktops/${ID}/ws/audio`],
  ] as const) {
    it(`keeps the address of a flow that holds ${older}`, async () => {
      const { endpoints } = computer({ computerId: ID, audioUrl: older }, { password: 'p' });
      const { url } = await endpoints.find({ signal: new AbortController().signal });
      assert.equal(url.href, expected);
      const asked = computer({ computerId: ID, audioUrl: older }, { apiKey: 'key' }).endpoints;
      assert.deepEqual([asked.renewsToken, asked.renewsAddress], [true, false]);
    });
  }

  it('may be a server of our own, which needs a password and nothing else', async () => {
    const { topic, endpoints } = computer(OWN, { password: ' as it is ' });
    assert.equal(topic, '127.0.0.1:8765');
    assert.deepEqual([endpoints.renewsToken, endpoints.renewsAddress], [false, false]);
    const { url, token } = await endpoints.find({ signal: new AbortController().signal });
    assert.deepEqual([url.href, token], [OWN.audioUrl, ' as it is ']);
  });

  it('does not ask the API where address and password are given', () => {
    const { endpoints } = computer({ ...OWN, computerId: ID }, { apiKey: 'key', password: 'p' });
    assert.deepEqual([endpoints.renewsToken, endpoints.renewsAddress], [false, false]);
  });

  it('says what is missing', () => {
    const template = 'wss://{computer_id}.orgo.dev/audio';
    assert.match(
      problem({ audioUrl: template }, { apiKey: 'key' }),
      /computerId is empty, but audioUrl holds \{computer_id\}/,
    );
    assert.match(problem({ computerId: ID, audioUrl: template }, {}), /Neither password nor apiKey is set/);
    assert.match(problem({}, { apiKey: 'key' }), /audioUrl is blank, .* but computerId is empty: enter/);
    assert.match(problem({ computerId: ID }, { password: 'p' }), /but apiKey is empty: enter/);
    assert.match(problem({ audioUrl: ' ' }, {}), /but computerId and apiKey are empty: enter/);
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

  it('says so where a text holds half of a character, without showing the password', () => {
    const password = problem(OWN, { password: 'se\ud800same' });
    assert.match(password, /password holds half of a character \(a lone surrogate\)/);
    assert.doesNotMatch(password, /same/);
    assert.match(problem({ computerId: '\udc00' }, { apiKey: 'k' }), /computerId holds half of a character/);
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
