/** Where ffmpeg is looked for, what is said where there is none, and who may run it at once. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/audio/clock';
import { OrgoError } from '../../src/audio/errors';
import { searchFfmpeg } from '../../src/convert/find-ffmpeg';
import { installCommand, linuxCommand } from '../../src/convert/install-hint';
import { LastWords } from '../../src/convert/last-words';
import { ConversionPool } from '../../src/convert/pool';
import { standIn } from './support/children';
import { decode } from './support/files';

void describe('ffmpeg', () => {
  void test('is found in an absolute directory of PATH, with its version', async () => {
    const program = standIn('echo "ffmpeg version 7.1-test Copyright (c) 2000"');
    const found = await searchFfmpeg({ path: `.:relative/bin::${dirname(program.path)}`, usualPlaces: [] });
    assert.deepEqual(found, { path: program.path, version: '7.1-test' });
    program.remove();
  });

  void test('that does not run is named; the next one in PATH is used', async () => {
    const broken = standIn('exit 127');
    const good = standIn('echo "ffmpeg version 6 Copyright"');
    const both = `${dirname(broken.path)}:${dirname(good.path)}`;
    assert.equal((await searchFfmpeg({ path: both, usualPlaces: [] })).path, good.path);
    await assert.rejects(searchFfmpeg({ path: dirname(broken.path), usualPlaces: [] }), (error) => {
      assert.ok(error instanceof OrgoError);
      assert.equal(error.code, 'ORGO_NO_FFMPEG');
      assert.ok(error.message.includes(broken.path));
      return true;
    });
    broken.remove();
    good.remove();
  });

  void test('that is missing is one error with the command that installs it', async () => {
    const search = (): Promise<never> =>
      searchFfmpeg({ path: '', usualPlaces: [], platform: 'darwin' }) as never;
    await assert.rejects(
      search,
      /^OrgoError: ffmpeg is not installed where Node-RED runs. Install it: brew install ffmpeg$/,
    );
    const dependencies = { clock: systemClock, pool: new ConversionPool(1), findFfmpeg: search };
    const { error, sounds } = await decode(
      Buffer.from('ID3 and so on, as an MP3 begins'),
      {},
      undefined,
      dependencies,
    );
    assert.equal(error?.code, 'ORGO_NO_FFMPEG');
    assert.equal(sounds.length, 0);
    assert.equal(dependencies.pool.queued, 0);
  });

  void test('is installed by the command of each platform', async () => {
    for (const [text, command] of [
      ['PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n', 'sudo apt-get install ffmpeg'],
      ['ID=raspbian\nID_LIKE=debian\n', 'sudo apt-get install ffmpeg'],
      ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'sudo apt-get install ffmpeg'],
      ['NAME="Alpine Linux"\nID=alpine\n', 'apk add ffmpeg'],
      ['ID=fedora\n', 'sudo dnf install ffmpeg-free'],
      ["ID='opensuse-leap'\nID_LIKE='suse opensuse'\n", 'sudo zypper install ffmpeg'],
    ] as const)
      assert.equal(linuxCommand(text), command);
    assert.match(linuxCommand('ID=constructor\n'), /package manager/);
    assert.equal(await installCommand('win32'), 'winget install Gyan.FFmpeg');
    assert.match(await installCommand('linux', '/nowhere/os-release'), /package manager/);
  });
});

void test('places are given in order, and one that leaves the queue takes none', async () => {
  const pool = new ConversionPool(2);
  const order: number[] = [];
  const places = [0, 1, 2, 3, 4].map((number) => {
    const place = pool.enter();
    void place.turn.then(() => order.push(number));
    return place;
  });
  await Promise.resolve();
  assert.deepEqual(order, [0, 1]);
  assert.equal(pool.queued, 3);
  places[2]?.release();
  places[0]?.release();
  places[0]?.release();
  await Promise.resolve();
  assert.deepEqual(order, [0, 1, 3]);
  places[1]?.release();
  await Promise.resolve();
  assert.deepEqual(order, [0, 1, 3, 4]);
});

test('of a flood the last words stay, each once, in plain characters', () => {
  const words = new LastWords();
  for (let i = 0; i < 10_000; i++) words.push(Buffer.from(`line ${i} ${'x'.repeat(1000)}\n`));
  words.push(Buffer.from('[mp3 @ 0x55d0aa] Header \u001b[31mmiss'));
  words.push(Buffer.from('ing\r\n    Last message repeated 7 times\npipe:0: Inval'));
  assert.match(words.text, /^line 9999 x{190}; \[mp3\] Header \[31mmissing; pipe:0: Inval$/);
});
