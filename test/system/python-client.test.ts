/** A client that shares no code with us: Debian's python3-websockets, on a server that plays the test signal. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../src/audio/clock';
import { TestSignal } from '../../src/capture/test-signal';
import { AudioServer } from '../../src/server/audio-server';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { DEBIAN_PYTHON } from '../../scripts/lib/programs.cjs';
import { describeWith, needs } from '../support/needs';

const run = promisify(execFile);

const SCRIPT = join(__dirname, 'fixtures', 'websockets_client.py');
const PASSWORD = 'correct-horse';
const FRAMES = 50;

/** What the script prints. */
interface Seen {
  readonly first: unknown;
  readonly pong: unknown;
  readonly sizes: readonly number[];
  readonly close_code: number | null;
}

describeWith(needs('python3-websockets'), 'a client of python3-websockets', ({ test, before, after }) => {
  let audio: AudioServer;
  let port: StandaloneListener;
  before(async () => {
    audio = new AudioServer({ source: new TestSignal(systemClock), password: PASSWORD });
    port = await StandaloneListener.open(audio, { host: '127.0.0.1', port: 0, maxConnections: 10 });
  });
  after(async () => {
    await audio.close();
    await port.close();
  });

  async function listen(query: string): Promise<Seen> {
    const url = `ws://127.0.0.1:${port.port}/audio?${query}`;
    const { stdout } = await run(DEBIAN_PYTHON, [SCRIPT, url, String(FRAMES)]);
    return JSON.parse(stdout) as Seen;
  }

  test('is told the format, gets whole frames, a pong, and 1000 after stop', async () => {
    const seen = await listen(`token=${PASSWORD}`);
    assert.deepEqual(seen.first, { type: 'started', sample_rate: 24_000, channels: 1 });
    assert.equal(seen.sizes.length, FRAMES);
    for (const size of seen.sizes) assert.equal(size % 960, 0, `${size} bytes`);
    assert.deepEqual(seen.pong, { type: 'pong' });
    assert.equal(seen.close_code, 1000);
  });

  test('gets the rate and channels that it asks for', async () => {
    const seen = await listen(`token=${PASSWORD}&sample_rate=48000&channels=2`);
    assert.deepEqual(seen.first, { type: 'started', sample_rate: 48_000, channels: 2 });
    for (const size of seen.sizes) assert.equal(size % 3840, 0, `${size} bytes`);
  });

  test('with a wrong token is closed with 4401 and hears nothing', async () => {
    const seen = await listen('token=wrong');
    assert.deepEqual(seen, { first: null, pong: null, sizes: [], close_code: 4401 });
  });
});
