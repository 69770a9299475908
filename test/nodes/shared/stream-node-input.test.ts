/** Which messages a node takes: cut anywhere, as WAV files, and those that it refuses. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OrgoError } from '../../../src/audio/errors';
import { wavHeader } from '../../../src/containers/wav-header';
import type { Message } from '../../../nodes/shared/red';
import { IDLE_MS } from '../../../nodes/shared/stream-node';
import { audioOf, counting, harness, payloads, places, sound } from './harness';

const mono = { encoding: 's16le', sampleRate: 24000, channels: 1 } as const;

describe('however the same bytes are cut', () => {
  test('the same sound comes out: odd bytes wait for the rest of their sample', () => {
    const whole = counting(2400);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 }), (cuts) => {
        const { node } = harness();
        for (let at = 0, i = 0; at < whole.length; i++) {
          const end = at + cuts[i % cuts.length]!;
          node.inputListener?.({ payload: whole.subarray(at, end) }, node.send, (error) => assert(!error));
          at = end;
        }
        node.inputListener?.({ reset: true }, node.send, (error) => assert(!error));
        assert.deepEqual(payloads(node.output(0)), whole);
        assert.deepEqual(
          node.output(0).map((msg) => audioOf(msg).position),
          Array.from({ length: 10 }, (_, i) => i * 240),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('one byte at a time is taken too, with or without a description', async () => {
    for (const audio of [undefined, { ...mono, stream: 's' }]) {
      const { node } = harness();
      for (const byte of counting(480))
        await node.receive({ payload: Buffer.of(byte), ...(audio && { audio }) });
      assert.deepEqual(payloads(node.output(0)), counting(480));
    }
  });

  test('a piece of a sample is left out where what follows does not go on with it', async () => {
    const { node } = harness();
    await node.receive({ ...sound(0), payload: counting(241).subarray(0, 481) });
    await node.receive(sound(240, 1000));
    assert.deepEqual(payloads(node.output(0)), Buffer.concat([counting(240), counting(240, 1000)]));
  });

  test('an empty Buffer changes nothing, and a gap that it tells of is not forgotten', async () => {
    const { node } = harness();
    await node.receive(sound(240));
    assert.equal(await node.receive(sound(0, 240)), undefined);
    await node.receive(sound(240, 240));
    await node.receive(sound(0, 500, { gap: 20 }));
    await node.receive(sound(240, 500));
    assert.deepEqual(places(node.output(0)), [
      [240, 0, 0],
      [240, 240, 0],
      [240, 500, 20],
    ]);
  });
});

describe('a WAV file', () => {
  const file = Buffer.concat([
    wavHeader({ encoding: 's16le', sampleRate: 16000, channels: 2 }, 500),
    counting(1000),
    Buffer.from('LIST\x04\0\0\0abcd', 'latin1'),
  ]);
  file.writeUInt32LE(file.length - 8, 4);

  test('is read by its header, and flushed at the end of its sound', async () => {
    const { node } = harness();
    await node.receive({ payload: file });
    const out = node.output(0);
    assert.deepEqual(payloads(out), counting(1000));
    assert.deepEqual(places(out).at(-1), [20, 480, 0]);
    assert.deepEqual([audioOf(out[0]!).sampleRate, audioOf(out[0]!).channels], [16000, 2]);
    assert(out.every((msg) => msg['complete'] === undefined));
  });

  test('may come in pieces, and be followed by another', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 12, max: 300 }), { minLength: 1, maxLength: 20 }), (cuts) => {
        const { node } = harness();
        for (let round = 0; round < 2; round++) {
          for (let at = 0, i = 0; at < file.length; i++) {
            const end = at + cuts[i % cuts.length]!;
            node.inputListener?.({ payload: file.subarray(at, end) }, node.send, (error) => assert(!error));
            at = end;
          }
        }
        assert.deepEqual(payloads(node.output(0)), Buffer.concat([counting(1000), counting(1000)]));
      }),
      { numRuns: 50 },
    );
  });

  test('may be told of by `msg.audio`', async () => {
    const { node } = harness();
    await node.receive({ payload: file, audio: { encoding: 'wav', stream: 'w' } });
    assert.deepEqual(payloads(node.output(0)), counting(1000));
    const error = await node.receive({ payload: counting(10), audio: { encoding: 'wav', stream: 'w' } });
    assert.match(error!.message, /does not begin as a WAV file/);
  });

  test('is only looked for where nothing else is told', async () => {
    const { node } = harness();
    await node.receive({ ...sound(0), payload: file.subarray(0, 480) });
    assert.deepEqual(payloads(node.output(0)), file.subarray(0, 480));
  });

  test('of a kind that can not be taken is an error, and the next message is read as ever', async () => {
    const { node } = harness();
    const wrong = Buffer.from(file);
    wrong.writeUInt16LE(6, 22);
    const error = await node.receive({ payload: wrong });
    assert.match(error!.message, /6 channels/);
    assert.equal(await node.receive({ payload: counting(240) }), undefined);
    assert.equal(node.output(0).length, 1);
  });
});

describe('what can not be taken is answered with an error, and nothing is emitted', () => {
  const good = { encoding: 's16le', sampleRate: 24000, channels: 1 };
  const wrong: [string, Message, RegExp][] = [
    ['no payload', {}, /msg.payload is missing: a Buffer of sound is wanted/],
    ['a string', { payload: 'hello' }, /the text "hello"/],
    ['a number', { payload: 42 }, /msg.payload is 42/],
    ['an object', { payload: { a: 1 } }, /of type Object/],
    ['null', { payload: null }, /of type Null/],
    ['an Int16Array', { payload: new Int16Array(10) }, /of type Int16Array/],
    ['a payload that is none, though described', { payload: 'x', audio: good }, /the text "x"/],
    [
      'an unknown encoding',
      { payload: counting(10), audio: { ...good, encoding: 'mp3' } },
      /"mp3": it must be s16le or f32le or wav/,
    ],
    ['no encoding', { payload: counting(10), audio: {} }, /encoding is missing/],
    [
      'a rate of 0',
      { payload: counting(10), audio: { ...good, sampleRate: 0 } },
      /sampleRate is 0: it must be a whole number from 8000 to 192000/,
    ],
    ['a rate of 1', { payload: counting(10), audio: { ...good, sampleRate: 1 } }, /sampleRate is 1/],
    ['a rate of 7999', { payload: counting(10), audio: { ...good, sampleRate: 7999 } }, /sampleRate is 7999/],
    [
      'a rate of 1e9',
      { payload: counting(10), audio: { ...good, sampleRate: 1e9 } },
      /sampleRate is 1000000000/,
    ],
    [
      'a rate that is text',
      { payload: counting(10), audio: { ...good, sampleRate: '24000' } },
      /sampleRate is the text "24000"/,
    ],
    [
      'three channels',
      { payload: counting(10), audio: { ...good, channels: 3 } },
      /channels is 3: it must be 1 or 2/,
    ],
  ];
  for (const [name, msg, text] of wrong) {
    test(name, async () => {
      const { node, clock } = harness();
      const error = await node.receive(msg);
      assert(error instanceof OrgoError);
      assert.equal(error.code, 'ORGO_BAD_INPUT');
      assert.match(error.message, text);
      assert.deepEqual(node.sent, []);
      clock.advance(IDLE_MS);
      assert.deepEqual([node.sent, clock.pending], [[], 0]);
    });
  }

  test('and the stream that it came in the midst of goes on unharmed', async () => {
    const { node } = harness();
    await node.receive(sound(100));
    for (const [, msg] of wrong) {
      const audio = msg.audio ? { ...msg.audio, stream: 's' } : undefined;
      assert(await node.receive({ ...msg, ...(audio && { audio }) }));
    }
    await node.receive(sound(140, 100));
    assert.deepEqual(payloads(node.output(0)), counting(240));
    assert.deepEqual(places(node.output(0)), [[240, 0, 0]]);
  });
});

describe('a number in `msg.audio`', () => {
  const day = 24 * 3600 * 24000;
  const wrong: [string, unknown[], RegExp][] = [
    [
      'gap',
      [-1, 0.5, NaN, Infinity, 1e300, day + 1, '5', null, {}],
      /msg\.audio\.gap is .*a whole number from 0/,
    ],
    [
      'samples',
      [-1, 0.5, NaN, Infinity, day + 1, '5', null],
      /msg\.audio\.samples is .*a whole number from 0/,
    ],
    [
      'position',
      [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 53, 1e300, '5', null, []],
      /msg\.audio\.position is .*a whole number from 0/,
    ],
    ['time', [NaN, Infinity, -Infinity, 'now', null, true], /msg\.audio\.time is .*a finite number/],
    ['latencyMs', [-1, NaN, Infinity, 1e300, '5'], /msg\.audio\.latencyMs is .*a number from 0/],
    ['preSkip', [-1, 0.5, 65_536, NaN, '312'], /msg\.audio\.preSkip is .*a whole number from 0 to 65535/],
  ];
  for (const [name, values, text] of wrong) {
    test(`is refused where it can be no ${name}, and the stream goes on with the next message`, async () => {
      const { node } = harness();
      await node.receive(sound(100));
      for (const value of values) {
        for (const rest of [{}, { complete: true }, { reset: true }]) {
          const error = await node.receive(sound(140, 100, { [name]: value }, rest));
          assert.match(error?.message ?? 'none', text, String(value));
        }
      }
      assert.deepEqual(node.sent, []);
      await node.receive(sound(140, 100));
      assert.deepEqual(places(node.output(0)), [[240, 0, 0]]);
      assert.deepEqual(payloads(node.output(0)), counting(240));
    });
  }

  test('may be as large as a day of sound, and a position as months of it', async () => {
    const { node } = harness();
    const months = 192_000 * 3600 * 24 * 300;
    assert.equal(await node.receive(sound(240, months, { gap: day, latencyMs: 10_000 })), undefined);
    assert.deepEqual(places(node.output(0)), [[240, months, day]]);
    assert.equal(await node.receive(sound(240, 2 ** 52)), undefined);
    assert.deepEqual(places(node.output(0)).at(-1), [240, 2 ** 52, 0], 'so far a jump is no gap');
  });

  test('that is left out counts on, also after gaps without end', async () => {
    const { node } = harness();
    let refused = 0;
    await node.receive(sound(240, 2 ** 53 - 2e10));
    for (let i = 0; i < 10 && refused === 0; i++) {
      const error = await node.receive({ payload: counting(240), audio: { ...mono, stream: 's', gap: day } });
      if (error) refused++;
    }
    assert.equal(refused, 1);
    assert(node.output(0).every((msg) => Number.isSafeInteger(audioOf(msg).position)));
  });
});

test('a WAV file of 1 Hz is refused at once: sound so slow has no slices', async () => {
  const { node } = harness({ sliceMs: 200 });
  const file = Buffer.concat([wavHeader({ ...mono, sampleRate: 1 }, 1), Buffer.alloc(2)]);
  assert.equal(file.length, 46);
  for (const rate of [1, 2, 7999, 192_001, 0xffffffff]) {
    file.writeUInt32LE(rate, 24);
    const error = await node.receive({ payload: file });
    assert.match(error!.message, /8000 to 192000 Hz are wanted/);
    assert.match(
      (await node.receive({ payload: file, audio: { encoding: 'wav' } }))!.message,
      /8000 to 192000/,
    );
  }
  assert.deepEqual(node.sent, []);
  await node.receive({ payload: counting(240) });
  assert.deepEqual(payloads(node.output(0)), counting(240));
});

test('slices are never empty, however short they are asked for', async () => {
  const { node } = harness({ sliceMs: 1e-9 });
  await node.receive(sound(480));
  assert.deepEqual(payloads(node.output(0)), counting(480));
});
