/** What the player makes of a server's frames, and of the address that it is given. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { audioAddress } from '../../player/address';
import { problemOfClose } from '../../player/problems';
import { WireReader } from '../../player/wire-reader';

const NOW = 1_763_842_000_000;

function pcm(...samples: number[]): ArrayBuffer {
  return Int16Array.from(samples).buffer;
}

describe('the player’s reader of the wire', () => {
  test('makes PCM of the announced format sound, and nothing before it', () => {
    const reader = new WireReader();
    assert.deepEqual(reader.readBinary(pcm(1, 2), NOW), []);
    assert.deepEqual(reader.readText('{"type":"started","sample_rate":48000,"channels":2}'), {
      kind: 'started',
    });
    assert.deepEqual(reader.readBinary(pcm(16384, -32768, 0, 32767), NOW), [
      {
        sampleRate: 48_000,
        channels: 2,
        samples: Float32Array.of(0.5, -1, 0, 32767 / 32768),
        time: NOW,
      },
    ]);
  });

  test('takes the server’s time, carries it on, and fills what the server left out', () => {
    const reader = new WireReader();
    reader.readText('{"type":"started","sample_rate":8000,"channels":1}');
    reader.readText('{"type":"clock","position":0,"time":1000,"dropped":0}');
    const times = (): number[] =>
      reader.readBinary(pcm(...new Array<number>(160).fill(7)), NOW).map(({ time }) => time ?? -1);
    assert.deepEqual(times(), [1000]);
    assert.deepEqual(times(), [1020]);
    reader.readText('{"type":"clock","position":640,"time":1080,"dropped":320}');
    const [silence, sound] = reader.readBinary(pcm(8), NOW);
    assert.deepEqual([silence?.samples.length, silence?.time, silence?.samples[0]], [320, 1040, 0]);
    assert.deepEqual([sound?.samples.length, sound?.time], [1, 1080]);
  });

  test('leaves half a sample out, and survives what is no message', () => {
    const reader = new WireReader();
    for (const text of ['', '[]', '{"type":"started"}', '{"type":"news"}']) {
      assert.deepEqual(reader.readText(text), { kind: 'other' });
    }
    assert.deepEqual(reader.readText('{"type":"error","message":"no"}'), { kind: 'error', message: 'no' });
    reader.readText('{"type":"started","sample_rate":8000,"channels":2}');
    const [sound] = reader.readBinary(new ArrayBuffer(7), NOW);
    assert.equal(sound?.samples.length, 2);
  });
});

describe('the player’s address', () => {
  const addressOf = (url: string): string => audioAddress({ url, token: 'a&b' }, 'https://host/red/listen');

  test('carries the token and asks for the clock, whatever form it has', () => {
    assert.equal(
      addressOf('wss://x/audio?sample_rate=8000'),
      'wss://x/audio?sample_rate=8000&token=a%26b&clock=1',
    );
    assert.equal(addressOf('http://x/audio#top'), 'ws://x/audio?token=a%26b&clock=1');
    assert.equal(addressOf('audio'), 'wss://host/red/audio?token=a%26b&clock=1');
  });

  test('is refused in words without the token', () => {
    for (const url of ['ftp://x/audio', 'wss://']) {
      assert.throws(
        () => addressOf(url),
        (error: Error) => !error.message.includes('a&b') && error.message.includes(url),
      );
    }
  });
});

describe('the player’s problems', () => {
  test('say whether trying again helps', () => {
    const told = [4401, 1013, 1006, 1001, 4404, 4500, 4400].map((code) => problemOfClose(code, ''));
    assert.deepEqual(
      told.map(({ code, retries }) => [code, retries]),
      [
        ['bad-password', false],
        ['too-many-listeners', true],
        ['server-gone', true],
        ['server-gone', true],
        ['not-running', true],
        ['no-sound', true],
        ['refused', false],
      ],
    );
    assert.match(
      problemOfClose(1013, 'Too many listeners: 2 are connected').message,
      /“Too many listeners: 2 are/,
    );
  });
});
