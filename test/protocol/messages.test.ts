import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseClientMessage, parseServerMessage } from '../../src/protocol/messages';

const NO_MESSAGES = [
  '',
  ' ',
  'no json',
  'null',
  'true',
  '1',
  '"ping"',
  '[]',
  '[{"type":"ping"}]',
  '{}',
  '{"type":null}',
  '{"type":["ping"]}',
  '{"type":"Ping"}',
  '{"type":"dance"}',
  '{"type":"__proto__"}',
  '{"__proto__":{"type":"ping"}}',
  '{"type":"ping"',
  `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
];

describe('parseClientMessage', () => {
  it('reads ping and stop, whatever else stands beside', () => {
    assert.deepEqual(parseClientMessage('{"type":"ping"}'), { type: 'ping' });
    assert.deepEqual(parseClientMessage(' {"time":1, "type":"stop"}\n'), { type: 'stop' });
  });

  it('takes nothing else for a message', () => {
    for (const text of [...NO_MESSAGES, '{"type":"pong"}', '{"type":"started"}']) {
      assert.equal(parseClientMessage(text), undefined, text.slice(0, 40));
    }
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseClientMessage(text)));
  });
});

describe('parseServerMessage', () => {
  it('reads the four that there are', () => {
    for (const message of [
      { type: 'started', sample_rate: 24000, channels: 1 },
      { type: 'pong' },
      { type: 'error', message: 'Failed to start audio capture' },
      { type: 'clock', position: 48000, time: 1763842000123.4, dropped: 0 },
    ]) {
      assert.deepEqual(parseServerMessage(JSON.stringify(message)), message);
      assert.deepEqual(parseServerMessage(JSON.stringify({ ...message, more: [] })), message);
    }
  });

  it('takes nothing for a message of which a field is missing, or of another type', () => {
    for (const text of [
      ...NO_MESSAGES,
      '{"type":"ping"}',
      '{"type":"started"}',
      '{"type":"started","sample_rate":"24000","channels":1}',
      '{"type":"started","sample_rate":1e999,"channels":1}',
      '{"type":"started","sample_rate":24000,"channels":null}',
      '{"type":"error"}',
      '{"type":"error","message":{}}',
      '{"type":"clock","position":0,"time":0}',
      '{"type":"clock","position":0,"time":0,"dropped":"0"}',
      '{"type":"clock","position":-1,"time":0,"dropped":0}',
      '{"type":"clock","position":0.5,"time":0,"dropped":0}',
      '{"type":"clock","position":9007199254740992,"time":0,"dropped":0}',
      '{"type":"clock","position":0,"time":1e300,"dropped":0}',
      '{"type":"clock","position":0,"time":-8.65e15,"dropped":0}',
      '{"type":"clock","position":0,"time":0,"dropped":-1}',
      '{"type":"clock","position":0,"time":0,"dropped":0.5}',
      '{"type":"clock","position":0,"time":0,"dropped":1e15}',
    ]) {
      assert.equal(parseServerMessage(text), undefined, text.slice(0, 60));
    }
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseServerMessage(text)));
  });
});
