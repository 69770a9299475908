/** What every node that changes sound does with messages and streams, whatever it does with the sound. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../../src/audio/errors';
import type { Message } from '../../../nodes/shared/red';
import { toOutput } from '../../../src/audio/transform';
import { IDLE_MS, MAX_STREAMS } from '../../../nodes/shared/stream-node';
import { audioOf, counting, framing, harness, payloads, places, sound } from './harness';

const mono = { encoding: 's16le', sampleRate: 24000, channels: 1 } as const;

describe('a message', () => {
  test('goes out with its new sound and place, and everything else that it had', async () => {
    const { node } = harness();
    assert.equal(await node.receive(sound(240, 480, {}, { mine: { deep: 1 }, _msgid: 'x' })), undefined);
    const [out] = node.output(0);
    assert.deepEqual(out, {
      topic: 'a-computer',
      mine: { deep: 1 },
      _msgid: 'x',
      payload: counting(240, 480),
      audio: {
        ...mono,
        ...{ samples: 240, stream: 's', sequence: 0, position: 480, time: 5020, gap: 0, latencyMs: 0 },
      },
    });
  });

  test('counts up in `sequence`, by what leaves and not by what came', async () => {
    const { node } = harness();
    for (let i = 0; i < 3; i++) await node.receive(sound(360, i * 360));
    assert.deepEqual(
      node.output(0).map((msg) => audioOf(msg).sequence),
      [0, 1, 2, 3],
    );
  });

  test('is never changed, and neither is its payload', async () => {
    const { node } = harness();
    const msg = sound(300);
    const audio = Object.freeze(msg.audio);
    Object.freeze(msg);
    const before = Buffer.from(msg.payload as Buffer);
    await node.receive(msg);
    await node.receive({ ...msg, audio, complete: true });
    assert.deepEqual(msg.payload, before);
  });

  test('without `msg.audio` is read by the settings; its samples are counted, its time runs evenly', async () => {
    const { node, clock } = harness();
    for (let i = 0; i < 4; i++) {
      await node.receive({ payload: counting(240, i * 240) });
      clock.advance(i === 1 ? 17 : 10);
    }
    const out = node.output(0);
    assert.deepEqual(places(out), [
      [240, 0, 0],
      [240, 240, 0],
      [240, 480, 0],
      [240, 720, 0],
    ]);
    const times = out.map((msg) => audioOf(msg).time);
    assert.equal(times[0], clock.epoch + 1000 - 10);
    assert(times.slice(1).every((time, i) => Math.abs(time - times[i]! - 10) < 0.01));
    assert.equal(audioOf(out[0]!).stream, 'the-node');
  });

  test('without a time follows the wall clock when that is set', async () => {
    const { node, clock } = harness();
    for (let i = 0; i < 4; i++) {
      if (i === 2) clock.epoch += 3_600_000;
      await node.receive({ payload: counting(240, i * 240) });
      clock.advance(10);
    }
    const [first = 0, ...times] = node.output(0).map((msg) => audioOf(msg).time);
    const since = times.map((time) => Math.round(time - first));
    assert.deepEqual(since, [10, 3_600_020, 3_600_030]);
  });

  test('may say no more of itself than encoding, rate and channels', async () => {
    const { node } = harness();
    for (const from of [0, 160]) {
      const audio = { encoding: 's16le', sampleRate: 16000, channels: 1 };
      await node.receive({ topic: 'kitchen', payload: counting(160, from), audio });
    }
    assert.deepEqual(places(node.output(0)), [
      [160, 0, 0],
      [160, 160, 0],
    ]);
    assert.equal(audioOf(node.output(0)[1]!).stream, 'kitchen');
  });
});

describe('the end of a stream', () => {
  test('lets out what is held: the last message is marked, with the reason it came with', async () => {
    const { node } = harness();
    await node.receive(sound(300));
    await node.receive(sound(100, 300, { reason: 'disconnected' }, { complete: true }));
    const out = node.output(0);
    assert.deepEqual(places(out), [
      [240, 0, 0],
      [160, 240, 0],
    ]);
    assert.deepEqual(
      out.map((msg) => [msg['complete'], audioOf(msg).reason]),
      [
        [undefined, undefined],
        [true, 'disconnected'],
      ],
    );
    assert.deepEqual(payloads(out), counting(400));
  });

  test('is an empty message where nothing is held', async () => {
    const { node } = harness();
    await node.receive(sound(240));
    await node.receive({ ...sound(0, 240), payload: undefined, complete: true });
    const last = node.output(0)[1]!;
    assert.equal((last.payload as Buffer).length, 0);
    assert.deepEqual(places([last]), [[0, 240, 0]]);
    assert.deepEqual([audioOf(last).time, audioOf(last).reason, last['complete']], [5010, 'stopped', true]);
  });

  test('is passed on for a stream of which nothing is known', async () => {
    const { node } = harness();
    assert.equal(await node.receive({ topic: 't', payload: '', complete: true }), undefined);
    const [out] = node.output(0);
    assert.equal(out!['complete'], true);
    assert.equal((out!.payload as Buffer).length, 0);
  });

  test('frees everything: a message behind it starts anew', async () => {
    let open = 0;
    const { node } = harness({
      create: ({ format }) => {
        open++;
        const processor = toOutput(framing(format));
        return {
          ...processor,
          close: () => {
            open--;
          },
        };
      },
    });
    await node.receive(sound(240, 0, {}, { complete: true }));
    assert.equal(open, 0);
    await node.receive(sound(240));
    assert.equal(open, 1);
    assert.deepEqual(
      node.output(0).map((msg) => audioOf(msg).sequence),
      [0, 0],
    );
  });

  test('comes by itself after 60 s without a message, and only then', async () => {
    const { node, clock } = harness();
    await node.receive(sound(300));
    clock.advance(IDLE_MS - 1);
    await node.receive(sound(30, 300));
    clock.advance(IDLE_MS - 1);
    assert.equal(node.output(0).length, 1);
    clock.advance(1);
    const last = node.output(0)[1]!;
    assert.deepEqual(places([last]), [[90, 240, 0]]);
    assert.deepEqual([last.topic, last['complete'], audioOf(last).reason], ['a-computer', true, 'idle']);
    assert.equal(clock.pending, 0);
  });

  test('comes with the end of the node', async () => {
    const { node, clock } = harness();
    await node.receive(sound(300));
    await node.close();
    const last = node.output(0)[1]!;
    assert.deepEqual([last['complete'], audioOf(last).reason], [true, 'closed']);
    assert.equal(clock.pending, 0);
    assert.equal(await node.receive(sound(300)), undefined);
    assert.equal(node.output(0).length, 2);
  });
});

describe('a reset', () => {
  test('lets out what is held, and starts the stream over', async () => {
    const { node } = harness();
    await node.receive(sound(300));
    assert.equal(await node.receive({ ...sound(0), payload: 1700000000000, reset: '' }), undefined);
    await node.receive({ ...sound(240, 300), reset: true });
    const out = node.output(0);
    assert.deepEqual(places(out), [
      [240, 0, 0],
      [60, 240, 0],
      [240, 300, 0],
    ]);
    assert.deepEqual(
      out.map((msg) => [audioOf(msg).sequence, msg['complete'], 'reset' in msg]),
      [
        [0, undefined, false],
        [1, undefined, false],
        [0, undefined, false],
      ],
    );
  });

  test('without `msg.audio` means all streams', async () => {
    const { node } = harness();
    await node.receive(sound(100, 0, { stream: 'a' }));
    await node.receive(sound(100, 0, { stream: 'b' }));
    await node.receive({ payload: 'anything', reset: true });
    assert.deepEqual(
      node.output(0).map((msg) => [audioOf(msg).stream, audioOf(msg).samples]),
      [
        ['a', 100],
        ['b', 100],
      ],
    );
  });

  test('that fails in one stream is done in all others, and the stream itself starts over too', async () => {
    let failing = true;
    const { node } = harness({
      create: ({ format, stream }) => {
        const processor = toOutput(framing(format));
        const flush = () => {
          if (stream === 'a' && failing) throw new OrgoError('ORGO_BAD_INPUT', 'a does not end well');
          return processor.flush();
        };
        return { ...processor, flush };
      },
    });
    for (const stream of ['a', 'b', 'c']) await node.receive(sound(100, 0, { stream }));
    const error = await node.receive({ reset: true });
    assert.equal(error?.message, 'a does not end well');
    assert.deepEqual(
      node.output(0).map((msg) => [audioOf(msg).stream, audioOf(msg).samples]),
      [
        ['b', 100],
        ['c', 100],
      ],
    );
    failing = false;
    await node.receive(sound(240, 500, { stream: 'a' }));
    assert.deepEqual(places(node.output(0)).at(-1), [240, 500, 0]);
  });

  test('of a stream that is not there does nothing', async () => {
    const { node, clock } = harness();
    assert.equal(await node.receive({ reset: true, audio: { stream: 'x' } }), undefined);
    assert.equal(await node.receive({ reset: true }), undefined);
    assert.deepEqual([node.sent, clock.pending], [[], 0]);
  });
});

describe('a border', () => {
  test('is a gap: what is held goes first', async () => {
    const { node } = harness();
    await node.receive(sound(300));
    await node.receive(sound(240, 310, { gap: 10 }));
    assert.deepEqual(places(node.output(0)), [
      [240, 0, 0],
      [60, 240, 0],
      [240, 310, 10],
    ]);
  });

  test('is what a message in between would have held: it counts as a gap', async () => {
    const { node } = harness();
    await node.receive(sound(300));
    await node.receive(sound(240, 700));
    assert.deepEqual(places(node.output(0)).slice(1), [
      [60, 240, 0],
      [240, 700, 400],
    ]);
  });

  test('is a position that lies before: the sound starts over there', async () => {
    const { node } = harness();
    await node.receive(sound(300, 5000));
    await node.receive(sound(240, 0));
    assert.deepEqual(places(node.output(0)), [
      [240, 5000, 0],
      [60, 5240, 0],
      [240, 0, 0],
    ]);
  });

  test('is a format that changes', async () => {
    const { node } = harness();
    await node.receive(sound(300));
    await node.receive(sound(160, 0, { sampleRate: 16000 }));
    assert.deepEqual(
      node.output(0).map((msg) => [audioOf(msg).sampleRate, audioOf(msg).samples]),
      [
        [24000, 240],
        [24000, 60],
        [16000, 160],
      ],
    );
  });
});

test('streams side by side do not hear each other', async () => {
  const { node } = harness();
  for (let i = 0; i < 10; i++) {
    await node.receive(sound(100, i * 100, { stream: 'a' }));
    await node.receive({ topic: 'b', payload: counting(70, 10_000 + i * 70) });
  }
  await node.receive({ reset: true });
  const of = (stream: string): Message[] => node.output(0).filter((msg) => audioOf(msg).stream === stream);
  assert.deepEqual(payloads(of('a')), counting(1000));
  assert.deepEqual(payloads(of('b')), counting(700, 10_000));
});

describe('with more than 256 streams', () => {
  test('the one idle longest makes room, with one warning a minute', async () => {
    const { node, clock } = harness();
    for (let i = 0; i < 1000; i++) {
      clock.advance(1);
      assert.equal(await node.receive(sound(100, 0, { stream: `stream ${i}` })), undefined);
    }
    const ended = node.output(0).map((msg) => [audioOf(msg).stream, msg['complete'], audioOf(msg).reason]);
    assert.deepEqual(
      ended,
      Array.from({ length: 1000 - MAX_STREAMS }, (_, i) => [`stream ${i}`, true, 'idle']),
    );
    assert.equal(node.warnings.length, 1);
    assert.match(node.warnings[0]!, /256 streams.*stream 0/);
  });
});

describe('several outputs', () => {
  test('are counted apart; an event has the place but no sound', async () => {
    const place = (position: number) => ({
      position,
      samples: 0,
      time: 1,
      gap: 0,
      latencyMs: 0,
      format: mono,
    });
    const { node } = harness({
      outputs: ['audio', 'utterance', 'event'],
      create: () => ({
        push: (frame) => [
          { output: 'audio', frame, properties: { speech: { id: 'x' } } },
          { output: 'utterance', frame },
          { output: 'audio', frame },
          {
            output: 'event',
            frame: { ...place(7), data: Buffer.alloc(0) },
            event: { event: 'speech-start' },
          },
        ],
        flush: () => [],
        close: () => undefined,
      }),
    });
    await node.receive(sound(10));
    await node.receive(sound(10, 10, {}, { complete: true }));
    const sequences = [0, 1].map((i) => node.output(i).map((msg) => audioOf(msg).sequence));
    assert.deepEqual(sequences, [
      [0, 1, 2, 3],
      [0, 1],
    ]);
    assert.deepEqual(node.output(0)[0]!['speech'], { id: 'x' });
    assert.deepEqual(node.output(2)[0]!.payload, { event: 'speech-start' });
    assert.deepEqual(places(node.output(2))[0], [0, 7, 0]);
    assert.deepEqual(
      node.output(0).map((msg) => msg['complete']),
      [undefined, undefined, undefined, true],
    );
    assert(node.output(1).every((msg) => !msg['complete']));
  });
});
