/** ffmpeg as it misbehaves, played by other programs: hangs, floods, dies, is slow, is not there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Decoding, type DecodedSound } from '../../src/convert/decoding';
import { Encoding } from '../../src/convert/encoding';
import { HANG_MS } from '../../src/convert/ffmpeg-process';
import { FakeClock } from '../nodes/fake-clock';
import { childrenOf, isRunning, openHandles, standIn, type StandIn } from './support/children';
import { CD, decode, tones, wavFile } from './support/files';

const SOMETHING = Buffer.alloc(8192, 'no kind of file that is known');

let current: StandIn | undefined;
afterEach(() => current?.remove());

function playing(script: string): StandIn {
  current = standIn(script);
  return current;
}

/** Turns of the event loop until `condition` holds; the test's own limit ends a wait in vain. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

void describe('an ffmpeg that', () => {
  void test('hangs is ended after 30 s without progress, and that is said', async () => {
    const clock = new FakeClock();
    const { dependencies } = playing('exec sleep 1000');
    const decoding = new Decoding({}, () => assert.fail('sound came'), dependencies(clock));
    await decoding.write(SOMETHING);
    const finished = decoding.finish();
    // Its input is ended only in the next turn; the 30 s count from then on.
    await turn();
    await until(() => clock.pending > 0 && sleepers().length > 0);
    clock.advance(HANG_MS - 1);
    await turn();
    assert.equal(sleepers().length, 1);
    clock.advance(2);
    const error = await finished;
    assert.equal(error?.code, 'ORGO_CONVERT_FAILED');
    assert.match(error.message, /made no progress for 30 s and was ended/);
    assert.deepEqual(sleepers(), []);
    assert.equal(clock.pending, 0);
  });

  void test('waits for a live source is left alone, however long', async () => {
    const clock = new FakeClock();
    const { dependencies } = playing('exec cat > /dev/null');
    const decoding = new Decoding({}, () => undefined, dependencies(clock));
    await decoding.write(SOMETHING);
    clock.advance(10 * HANG_MS);
    await decoding.write(SOMETHING);
    clock.advance(10 * HANG_MS);
    const error = await decoding.finish();
    assert.match(error?.message ?? '', /can not read this as sound/);
  });

  void test('does not take its input makes the writer wait, and is ended after 30 s', async () => {
    const clock = new FakeClock();
    const { dependencies } = playing('exec sleep 1000');
    const decoding = new Decoding({}, () => undefined, dependencies(clock));
    let isTaken = false;
    const written = decoding.write(Buffer.alloc(4_000_000, 'no kind of file')).then(() => (isTaken = true));
    await until(() => sleepers().length === 1);
    for (let i = 0; i < 100; i++) await turn();
    assert.equal(isTaken, false);
    clock.advance(HANG_MS);
    clock.advance(HANG_MS);
    await written;
    assert.match((await decoding.ended)?.message ?? '', /no progress/);
  });

  void test('floods stderr is drained, and its last words are told', async () => {
    const flood = "yes 'av_interleaved_write_frame(): No space left' | head -c 4000000 >&2";
    const { dependencies } = playing(`${flood}; echo '[mp3 @ 0x55d0] No space left on device' >&2; exit 7`);
    const { error, sounds } = await decode(SOMETHING, {}, undefined, dependencies(new FakeClock()));
    assert.equal(error?.code, 'ORGO_BAD_INPUT');
    assert.match(error.message, /\[mp3\] No space left on device$/);
    assert.ok(error.message.length < 1000);
    assert.equal(sounds.length, 0);
  });

  void test('is killed in the middle: what came is given, and the error says so', async () => {
    const wav = wavFile(CD, tones(CD, 1)).toString('base64');
    const { dependencies } = playing(`echo ${wav.slice(0, 40_000)} | base64 -d; kill -KILL $$`);
    const { error, samples } = await decode(SOMETHING, {}, undefined, dependencies());
    assert.equal(error?.code, 'ORGO_CONVERT_FAILED');
    assert.match(error.message, /killed by SIGKILL in the middle/);
    assert.equal(samples, (30_000 - 44) / 4);
  });

  void test('fails in the middle: what came is given, and its words', async () => {
    const wav = wavFile(CD, tones(CD, 0.1)).toString('base64');
    const { dependencies } = playing(`echo ${wav} | base64 -d; echo 'Conversion failed!' >&2; exit 69`);
    const { error, samples } = await decode(SOMETHING, {}, undefined, dependencies());
    assert.match(error?.message ?? '', /stopped in the middle of its work: Conversion failed!/);
    assert.equal(samples, 4410);
  });

  void test('can not be started is an error, and no crash', async () => {
    const { path, dependencies } = playing('exit 0');
    const broken = {
      ...dependencies(),
      findFfmpeg: () => Promise.resolve({ path: `${path}-gone`, version: '0' }),
    };
    const { error } = await decode(SOMETHING, {}, undefined, broken);
    assert.equal(error?.code, 'ORGO_CONVERT_FAILED');
    assert.match(error.message, /could not be started .*ENOENT/);
  });

  void test('leaves before it has read all is no crash either', async () => {
    const { dependencies } = playing('echo "Invalid data" >&2; exit 1');
    const { error } = await decode(Buffer.alloc(5_000_000, 'junk'), {}, undefined, dependencies());
    assert.match(error?.message ?? '', /Invalid data/);
  });
});

void describe('a sink that is slow', () => {
  void test('gets all sound in order, also when ffmpeg ends while the first of it is being taken', async () => {
    const { path, dependencies } = playing('cat > /dev/null; cat "$0.wav"');
    const sound = tones(CD, 0.6);
    writeFileSync(`${path}.wav`, wavFile(CD, sound));
    const sounds: DecodedSound[] = [];
    const decoding = new Decoding(
      {},
      async (decoded) => {
        sounds.push(decoded);
        if (sounds.length > 1) return;
        // Gone for the system, and its end heard of here: Node.js then reads the rest, though it was paused.
        await until(() => childrenOf(process.pid).length === 0);
        for (let i = 0; i < 20; i++) await turn();
      },
      dependencies(),
    );
    await decoding.write(SOMETHING);
    assert.equal(await decoding.finish(), undefined);
    const positions = sounds.map(({ frame }) => frame.position);
    assert.deepEqual(
      positions,
      [...positions].sort((a, b) => a - b),
    );
    assert.ok(Buffer.concat(sounds.map(({ frame }) => frame.data)).equals(sound));
  });

  void test('holds ffmpeg up: it makes no more than the pipes take', async () => {
    const { path, dependencies } = playing(
      `head -c 44 "$0.wav"; n=0; while [ $n -lt 300 ]; do head -c 65536 /dev/zero; n=$((n+1)); echo $n > "$0.count"; done`,
    );
    writeFileSync(`${path}.wav`, wavFile(CD, Buffer.alloc(0)).fill(0xff, 40, 44));
    const made = (): number =>
      existsSync(`${path}.count`) ? Number(readFileSync(`${path}.count`, 'utf8')) : 0;
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const sounds: DecodedSound[] = [];
    const decoding = new Decoding(
      {},
      (sound) => {
        sounds.push(sound);
        return sounds.length === 1 ? held : undefined;
      },
      dependencies(),
    );
    await decoding.write(SOMETHING);
    await until(() => sounds.length === 1);
    let before = -1;
    // As soon as a hundred turns pass without a block more, it stands.
    while (before !== made()) {
      before = made();
      for (let i = 0; i < 2000; i++) await turn();
    }
    assert.ok(before < 60, `${before} blocks of 64 KiB were made`);
    assert.equal(sounds.length, 1);
    letGo();
    assert.equal(await decoding.finish(), undefined);
    assert.equal(made(), 300);
  });
});

void describe('an abort', () => {
  void test('ends ffmpeg at once, while it reads, writes, or waits', async () => {
    const handles = openHandles();
    for (const script of ['exec sleep 1000', 'exec cat /dev/zero', 'trap "" TERM; exec cat > /dev/null']) {
      const { dependencies } = playing(script);
      const pids: number[] = [];
      const decoding = new Decoding({}, () => undefined, dependencies());
      await decoding.write(SOMETHING);
      pids.push(...sleepers());
      await decoding.abort();
      assert.equal(await decoding.ended, undefined);
      assert.ok(!pids.some(isRunning));
      current?.remove();
      current = undefined;
    }
    assert.ok(openHandles() <= handles);
  });

  void test('of one that waits for its place takes no place', async () => {
    const { dependencies } = playing('exec sleep 1000');
    const shared = dependencies();
    const running = Array.from({ length: 4 }, () => new Decoding({}, () => undefined, shared));
    await Promise.all(running.map((decoding) => decoding.write(SOMETHING)));
    const waiting = new Encoding({ format: 'mp3' }, () => undefined, shared);
    const data = tones(CD, 0.1);
    const written = waiting.write({
      format: CD,
      data,
      samples: 4410,
      position: 0,
      time: 0,
      gap: 0,
      latencyMs: 0,
    });
    await turn();
    assert.equal(shared.pool.queued, 1);
    await waiting.abort();
    await written;
    assert.equal(shared.pool.queued, 0);
    await Promise.all(running.map((decoding) => decoding.abort()));
    assert.deepEqual(sleepers(), []);
  });
});

/** Children that the stand-ins became. */
function sleepers(): number[] {
  return childrenOf(process.pid, 'sleep');
}
