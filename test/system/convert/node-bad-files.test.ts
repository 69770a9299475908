/** What ffmpeg can't read, sent to the convert node by mistake. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { OrgoError } from '../../../src/audio/errors';
import { CD, made, skipWithoutFfmpeg, tones, wavFile } from '../../convert/support/files';
import { convert, fileOf, sendPieces } from '../../nodes/support/convert-node';

const SECOND = wavFile(CD, tones(CD, 1));
const IMAGE = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=5:duration=1'];
const TEXT = Buffer.from('This is no sound, said the file.\n'.repeat(500));
const ZIP = Buffer.concat([
  Buffer.from('PK\u0003\u0004\u0014\0\0\0\b\0', 'latin1'),
  Buffer.alloc(9000, 'zip'),
]);

void describe('nothing but one error comes of', { skip: skipWithoutFfmpeg }, () => {
  const bad: readonly (readonly [string, () => Buffer, RegExp])[] = [
    ['a text file', () => TEXT, /can not read this as sound/],
    ['a JPEG', () => made('a.jpg', ['-map', '1:v', '-frames:v', '1'], undefined, IMAGE), /no sound/],
    ['a ZIP archive', () => ZIP, /can not read this as sound/],
    ['a film without sound', () => made('a.mp4', ['-map', '1:v'], undefined, IMAGE), /no sound/],
    ['100 MB of noise', () => randomBytes(100_000_000), /./],
    ['a WAV file of nothing', () => wavFile(CD, Buffer.alloc(0)), /no sound/],
  ];
  for (const [name, file, reason] of bad) {
    void test(`${name}, and the next file is taken`, async () => {
      const node = convert();
      const error = await node.receive({ payload: file() });
      assert.ok(error instanceof OrgoError);
      assert.equal(error.code, 'ORGO_BAD_INPUT');
      assert.match(error.message, reason);
      assert.deepEqual([node.sent, node.errors], [[], []]);
      assert.equal(node.shown(), 'red bad-input');
      assert.equal(await node.receive({ payload: SECOND }), undefined);
      assert.equal(fileOf(node.output(0)).samples, 44_100);
    });
  }

  void test('a bad file in pieces, which is passed over until its end', async () => {
    const node = convert({ pieces: true });
    const errors = await sendPieces(node, TEXT, {}, 1000);
    assert.equal(errors.length, 1);
    assert.match(errors[0]!, /can not read this as sound/);
    assert.deepEqual(
      node.output(0).map((message) => [(message.payload as Buffer).length, message['complete']]),
      [[0, true]],
      'its end was asked for',
    );
    assert.deepEqual(await sendPieces(node, made('a.mp3', [], SECOND)), []);
    assert.equal(fileOf(node.output(0).slice(1)).samples, 44_100);
  });
});

void test('as much as there is comes of an MP3 that is cut off', { skip: skipWithoutFfmpeg }, async () => {
  const node = convert();
  const mp3 = made('a.mp3', ['-b:a', '128k']);
  assert.equal(await node.receive({ payload: mp3.subarray(0, mp3.length / 2) }), undefined);
  const { samples } = fileOf(node.output(0));
  assert.ok(Math.abs(samples - 66_150) < 3 * 1152, String(samples));
});
