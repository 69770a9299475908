/** The convert node: files and pieces to PCM, PCM to files, streams apart, order kept, the end marked. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { systemDependencies } from '../../../src/convert/engine';
import { ConversionPool } from '../../../src/convert/pool';
import { untilNoChild } from '../../convert/support/children';
import { CD, decode, made, skipWithoutFfmpeg, tones, wavFile } from '../../convert/support/files';
import { convert, fileOf, files, sendPieces } from '../../nodes/support/convert-node';
import { audioOf, payloads, sound } from '../../nodes/shared/harness';

const SECOND = wavFile(CD, tones(CD, 1));

void describe('decoding', { skip: skipWithoutFfmpeg }, () => {
  void test('gives a whole file as frames without a time, and ends with it', async () => {
    const node = convert();
    const mp3 = made('a.mp3', [], SECOND);
    assert.equal(await node.receive({ payload: mp3, topic: 'song', mine: 1 }), undefined);
    const out = node.output(0);
    assert.equal(fileOf(out).samples, 44_100);
    assert.equal(out.length, 50);
    for (const message of out) {
      assert.ok(!('time' in audioOf(message)), 'a recording has no time');
      assert.deepEqual([message.topic, message['mine'], audioOf(message).stream], ['song', 1, 'song']);
    }
    assert.equal(audioOf(out.at(-1)!).reason, 'stopped');
    await untilNoChild();
  });

  void test('takes the rate, channels, encoding and frame length of the settings', async () => {
    const node = convert({ sampleRate: '16000', channels: '1', encoding: 'f32le', frameMs: '100' });
    assert.equal(await node.receive({ payload: made('a.flac', [], SECOND) }), undefined);
    const { samples, data, rate } = fileOf(node.output(0));
    assert.deepEqual([samples, data.length, rate, node.output(0).length], [16_000, 64_000, 16_000, 10]);
    const { encoding, channels } = audioOf(node.output(0)[0]!);
    assert.deepEqual([encoding, channels], ['f32le', 1]);
  });

  void test('looks at the bytes, not at what msg.audio says of something else', async () => {
    const node = convert();
    // As the answer of a speech service, in a message that still describes the utterance that was sent.
    const audio = { encoding: 's16le', sampleRate: 16000, channels: 1, stream: 'u', position: 99, time: 5 };
    assert.equal(await node.receive({ payload: made('a.mp3', [], SECOND), audio }), undefined);
    assert.equal(fileOf(node.output(0)).samples, 44_100);
    assert.ok(!('time' in audioOf(node.output(0)[0]!)));
  });

  void test('files sent one after another come out in that order, each a stream that ends', async () => {
    const node = convert();
    const mp3 = made('a.mp3', [], SECOND);
    const seconds = [2, 1, 0.5];
    const done = [made('a.flac', [], wavFile(CD, tones(CD, 2))), mp3, wavFile(CD, tones(CD, 0.5))].map(
      (payload) => node.receive({ payload }),
    );
    assert.deepEqual(await Promise.all(done), [undefined, undefined, undefined]);
    assert.deepEqual(
      files(node.output(0)).map((file) => fileOf(file).samples),
      seconds.map((s) => s * 44_100),
    );
  });

  void test('pieces sound before the file is over, and keep the time of what is live', async () => {
    const node = convert({ pieces: true });
    const mp3 = made('a.mp3', ['-b:a', '128k']);
    const half = mp3.length / 2;
    const audio = { encoding: 'mp3', sampleRate: 44100, channels: 2, stream: 'r', time: 5000 };
    assert.equal(await node.receive({ payload: mp3.subarray(0, half), audio }), undefined);
    await node.until(0, ({ audio }) => (audio as { position: number }).position > 44_100);
    assert.ok(!node.output(0).some((message) => message['complete']));
    assert.deepEqual(await sendPieces(node, mp3.subarray(half), { audio: { ...audio, time: 6500 } }), []);
    const out = node.output(0);
    assert.ok(Math.abs(fileOf(out).samples - 132_300) <= 2 * 1152, String(fileOf(out).samples));
    assert.equal(audioOf(out[0]!).time, 5000);
    assert.ok(Math.abs(audioOf(out[50]!).time - 6000) < 0.01);
  });

  void test('pieces without a time are a recording', async () => {
    const node = convert({ pieces: true });
    assert.deepEqual(await sendPieces(node, made('a.mp3', [], SECOND)), []);
    assert.equal(fileOf(node.output(0)).samples, 44_100);
    assert.ok(node.output(0).every((message) => !('time' in audioOf(message))));
  });

  void test('two files interleaved on two streams do not touch each other', async () => {
    const node = convert({ pieces: 'true' });
    const both = [made('a.mp3', ['-ar', '24000'], SECOND), made('b.flac', [], SECOND)];
    const alone = await Promise.all(both.map((file) => decode(file, {}, 3000)));
    const streams = both.map((file, i) => sendPieces(node, file, { topic: `file ${i}` }));
    assert.deepEqual(await Promise.all(streams), [[], []]);
    for (const [i, { data }] of alone.entries()) {
      const own = node.output(0).filter(({ topic }) => topic === `file ${i}`);
      assert.ok(fileOf(own).data.equals(data));
    }
  });

  void test('20 files at once: few children, all come out whole, the status counts who waits', async () => {
    const node = convert({}, { ...systemDependencies, pool: new ConversionPool(3) });
    const mp3 = made('a.mp3', [], SECOND);
    const done = Array.from({ length: 20 }, (_, i) => node.receive({ payload: mp3, topic: `song ${i}` }));
    while (!/^yellow waiting \{"count":[1-9]/.test(node.shown())) await turn();
    assert.ok((await Promise.all(done)).every((error) => error === undefined));
    for (let i = 0; i < 20; i++) {
      const own = node.output(0).filter(({ topic }) => topic === `song ${i}`);
      assert.equal(fileOf(own).samples, 44_100);
    }
    assert.equal(node.shown(), 'grey idle');
  });

  void test('a close in the middle drops the rest, leaves no child, and marks the end', async () => {
    const node = convert();
    const long = made('a.mp3', [], wavFile(CD, tones(CD, 40)));
    const done = node.receive({ payload: long });
    await node.until(0, () => true);
    await node.close();
    await done;
    await untilNoChild();
    const last = node.output(0).at(-1)!;
    assert.deepEqual([last['complete'], audioOf(last).reason], [true, 'closed']);
    assert.ok(node.output(0).length < 2000);
  });
});

void describe('encoding', { skip: skipWithoutFfmpeg }, () => {
  for (const [format, encoding] of [
    ['mp3', 'mp3'],
    ['aac', 'aac'],
    ['flac', 'flac'],
    ['ogg-opus', 'ogg'],
    ['wav', 'wav'],
  ] as const) {
    void test(`${format}: bytes as they are made, named, of as much sound as came, ended`, async () => {
      const node = convert({ mode: 'encode', format });
      for (let position = 0; position < 48_000; position += 480)
        assert.equal(await node.receive(sound(480, position)), undefined);
      assert.equal(await node.receive(sound(0, 48_000, { reason: 'idle' }, { complete: true })), undefined);
      const out = node.output(0);
      assert.ok(out.every((message) => audioOf(message).encoding === encoding));
      assert.equal(audioOf(out[0]!).time, 5000);
      const sent = out.reduce(
        (sum, message) => sum + audioOf(message).samples / audioOf(message).sampleRate,
        0,
      );
      assert.ok(Math.abs(sent - 2) < 0.001, `${sent} s`);
      assert.deepEqual([out.at(-1)!['complete'], audioOf(out.at(-1)!).reason], [true, 'idle']);
      const { samples, shape } = await decode(payloads(out));
      const [rate] = shape.split('/').map(Number);
      // MP3 and ADTS can not tell their padding.
      assert.ok(samples / rate! >= 1.99 && samples / rate! < 2.12, `${samples} at ${shape}`);
      assert.deepEqual(node.errors, []);
    });
  }

  void test('a file is written to its end where the node closes', async () => {
    const node = convert({ mode: 'encode', format: 'flac' });
    await node.receive(sound(24_000));
    await node.close();
    assert.equal((await decode(payloads(node.output(0)))).samples, 24_000);
    await untilNoChild();
  });

  void test('sound of another format in the middle begins a new file', async () => {
    const node = convert({ mode: 'encode', format: 'flac' });
    await node.receive(sound(24_000));
    await node.receive(sound(16_000, 0, { sampleRate: 16_000 }, { complete: true }));
    const rates = new Set(node.output(0).map((message) => audioOf(message).sampleRate));
    assert.deepEqual([...rates], [24_000, 16_000]);
  });
});
