/** What people send to the convert node by mistake, and an ffmpeg that is gone, dies, or hangs. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { OrgoError } from '../../src/audio/errors';
import { systemDependencies } from '../../src/convert/engine';
import { HANG_MS } from '../../src/convert/ffmpeg-process';
import { searchFfmpeg } from '../../src/convert/find-ffmpeg';
import { childrenOf, standIn, untilNoChild, type StandIn } from '../convert/support/children';
import { CD, tones, wavFile } from '../convert/support/files';
import { FakeClock } from './fake-clock';
import { convert, fileOf, files, sendPieces } from './support/convert-node';
import { audioOf, sound } from './shared/harness';

const SECOND = wavFile(CD, tones(CD, 1));
const TEXT = Buffer.from('This is no sound, said the file.\n'.repeat(500));

let current: StandIn | undefined;
afterEach(() => {
  current?.remove();
  current = undefined;
});

void test('an empty payload, and `complete` without a file, start nothing', async () => {
  for (const settings of [{}, { pieces: true }, { mode: 'encode' }]) {
    const dependencies = {
      ...systemDependencies,
      findFfmpeg: () => Promise.resolve({ path: '/nowhere/ffmpeg', version: '0' }),
    };
    const node = convert(settings, dependencies);
    assert.equal(await node.receive({ payload: Buffer.alloc(0) }), undefined);
    assert.deepEqual(node.sent, []);
    assert.equal(await node.receive({ complete: true }), undefined);
    const [end, ...more] = node.output(0);
    assert.deepEqual([end?.['complete'], audioOf(end!).samples, more], [true, 0, []]);
  }
});

void test('what is no Buffer is an error that says what came', async () => {
  for (const payload of ['/home/me/song.mp3', undefined, 5, { a: 1 }]) {
    for (const mode of ['decode', 'encode']) {
      const node = convert({ mode }, { ...systemDependencies, findFfmpeg: () => searchFfmpeg() });
      const error = await node.receive({ payload });
      assert.match(error?.message ?? '', /^msg\.payload is .*: a Buffer of sound is wanted$/);
      assert.deepEqual(node.sent, []);
    }
  }
});

void test('settings out of range are told at deploy, and to every message', async () => {
  for (const settings of [
    { sampleRate: 7999 },
    { channels: 3 },
    { frameMs: 0 },
    { encoding: 'mp3' },
    { mode: 'both' },
    { mode: 'encode', format: '-i /etc/passwd' },
    { mode: 'encode', bitrate: 320_001 },
    { mode: 'encode', bitrate: '1; rm' },
  ]) {
    const node = convert(settings);
    const name = Object.keys(settings).at(-1)!;
    assert.equal(node.errors.length, 1);
    assert.match(node.errors[0]!, new RegExp(`^${name} is `));
    assert.deepEqual(node.lastStatus, { fill: 'red', shape: 'ring', text: 'bad-setting' });
    assert.match((await node.receive({ payload: SECOND }))?.message ?? '', new RegExp(`^${name} is `));
  }
});

void describe('without ffmpeg', () => {
  const nowhere = {
    ...systemDependencies,
    findFfmpeg: () => searchFfmpeg({ path: '/nowhere', usualPlaces: [] }),
  };

  void test('the status says so at once, and each file is an error with the command that installs it', async () => {
    const node = convert({}, nowhere);
    while (node.shown() === 'grey idle') await turn();
    assert.equal(node.shown(), 'red no-ffmpeg');
    const error = await node.receive({ payload: TEXT });
    assert.ok(error instanceof OrgoError);
    assert.equal(error.code, 'ORGO_NO_FFMPEG');
    assert.match(error.message, /is not installed where Node-RED runs\. Install it: .*ffmpeg/);
    assert.deepEqual([node.sent, node.errors], [[], []]);
    assert.equal(node.shown(), 'red no-ffmpeg');
  });

  void test('one stream of pieces, or of PCM, is one error', async () => {
    const decoder = convert({ pieces: true }, nowhere);
    assert.equal((await sendPieces(decoder, TEXT, {}, 5000)).length, 1);
    const encoder = convert({ mode: 'encode' }, nowhere);
    const errors = [];
    for (let position = 0; position < 4800; position += 480)
      errors.push(await encoder.receive(sound(480, position)));
    assert.equal(errors.filter((error) => error !== undefined).length, 1);
  });

  void test('WAV and Opus are converted all the same', async () => {
    for (const format of ['wav', 'ogg-opus']) {
      const encoder = convert({ mode: 'encode', format }, nowhere);
      await encoder.receive({ payload: SECOND });
      assert.equal(await encoder.receive({ complete: true }), undefined);
      const payload = Buffer.concat(encoder.output(0).map((message) => message.payload as Buffer));
      const decoder = convert({ sampleRate: 48_000 }, nowhere);
      assert.equal(await decoder.receive({ payload }), undefined);
      assert.equal(fileOf(decoder.output(0)).samples, 48_000);
    }
  });
});

void describe('an ffmpeg that', () => {
  const wav = SECOND.toString('base64');

  void test('is killed in the middle: what came is sent, the end says error, the next file is taken', async () => {
    current = standIn(`echo ${wav.slice(0, 40_000)} | base64 -d; kill -KILL $$`);
    const node = convert({}, current.dependencies());
    for (let i = 0; i < 2; i++)
      assert.match((await node.receive({ payload: TEXT }))?.message ?? '', /killed by SIGKILL in the middle/);
    const both = files(node.output(0));
    for (const file of both) {
      assert.equal(fileOf(file).samples, (30_000 - 44) / 4);
      assert.equal(audioOf(file.at(-1)!).reason, 'error');
    }
    assert.equal(both.length, 2);
    assert.equal(node.shown(), 'red failed');
  });

  void test('is killed in the middle of pieces: one error, and the next piece goes on where it was', async () => {
    current = standIn(`head -c 4096 > /dev/null; echo ${wav.slice(0, 40_000)} | base64 -d; kill -KILL $$`);
    const node = convert({ pieces: true }, current.dependencies());
    const errors = await sendPieces(node, Buffer.alloc(16_384, 'no kind of file'), {}, 8192);
    assert.ok(errors.length >= 1 && errors.length <= 2, errors.join('\n'));
    assert.ok(errors.every((error) => error.includes('killed by SIGKILL')));
    let position = 0;
    for (const message of node.output(0)) {
      assert.equal(audioOf(message).position, position);
      position += audioOf(message).samples;
    }
    await untilNoChild();
  });

  void test('hangs is ended after 30 s without progress, and that is said', async () => {
    const clock = new FakeClock();
    current = standIn('exec sleep 1000');
    const node = convert({}, current.dependencies(clock));
    const done = node.receive({ payload: TEXT });
    while (childrenOf(process.pid, 'sleep').length === 0 || clock.pending === 0) await turn();
    // Its input is ended some turns later; the 30 s count from then on.
    for (let i = 0; i < 20; i++) await turn();
    clock.advance(HANG_MS);
    const error = await done;
    assert.match(error?.message ?? '', /made no progress for 30 s and was ended/);
    await untilNoChild('sleep');
    assert.deepEqual(node.sent, []);
    assert.equal(node.shown(), 'red failed');
  });
});
