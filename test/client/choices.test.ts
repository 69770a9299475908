/** What a client asks for beyond the document, of our server and of one that does not know it. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { it } from '../support/hang-guard';
import { PASSWORD, ServerRig } from '../support/server-rig';
import { FakeAudioServer, frameBytes, listenTo, STARTED, tokens } from './rig';

const OPUS = { codec: 'opus', frameMs: 20, bitrate: undefined } as const;

describe('a client that asks for Opus', () => {
  it('hears packets from our server, at the places of its clock', async () => {
    const rig = await ServerRig.open();
    const { stream, hearer } = listenTo(new URL(`ws://127.0.0.1:${rig.port.port}/audio`), {
      ...{ tokens: tokens(PASSWORD), choice: OPUS },
    });
    while (rig.audio.listenerCount === 0) await new Promise(setImmediate);
    for (let i = 0; i < 10; i++) rig.source.give(480);
    rig.source.give(480, 48_000);
    for (let i = 0; i < 10; i++) rig.source.give(480);
    await hearer.until(() => hearer.packets.some(({ gap }) => gap > 0));
    assert.deepEqual(hearer.begun, [{ encoding: 'opus', sampleRate: 24_000, channels: 1 }]);
    assert.deepEqual(hearer.notices, []);
    hearer.packets.reduce((end, { position, samples, gap, preSkip }) => {
      assert.deepEqual([position, samples, preSkip], [end + gap, 480, 312]);
      return position + samples;
    }, 0);
    assert.equal(stream.exact, true);
    await stream.stop('closed');
    await rig.close();
  });

  it('hears PCM, without a word of complaint, from a server that has no Opus', async () => {
    const server = await FakeAudioServer.listen();
    const { stream, hearer } = listenTo(server.url, { choice: OPUS });
    const caller = await server.caller();
    assert.match(caller.request.url ?? '', /&clock=1&frame_ms=20&codec=opus$/);
    caller.socket.send(STARTED);
    caller.socket.send(frameBytes());
    await hearer.until(() => hearer.frames.length === 1);
    assert.deepEqual([hearer.begun[0]?.encoding, hearer.notices], ['s16le', []]);
    await stream.stop('closed');
    await server.close();
  });

  it('goes on with a new stream where the server changes the format of its packets', async () => {
    const server = await FakeAudioServer.listen();
    const { stream, hearer } = listenTo(server.url, { choice: OPUS });
    const caller = await server.caller();
    const started = (rate: number): string =>
      `{"type":"started","sample_rate":${rate},"channels":1,"frame_ms":20,"codec":"opus","pre_skip":312}`;
    caller.socket.send(started(24_000));
    caller.socket.send(Buffer.of(0xf8));
    caller.socket.send(started(48_000));
    caller.socket.send(Buffer.of(0xf8));
    await hearer.until(() => hearer.packets.length === 2);
    assert.deepEqual(
      hearer.packets.map(({ format, samples, position }) => [format.sampleRate, samples, position]),
      [
        [24_000, 480, 0],
        [48_000, 960, 0],
      ],
    );
    assert.deepEqual(
      hearer.ends.map(({ reason }) => reason),
      ['restarted'],
    );
    await stream.stop('closed');
    await server.close();
  });

  it('takes no Opus that it did not ask for', async () => {
    const server = await FakeAudioServer.listen();
    const { stream, hearer } = listenTo(server.url);
    const caller = await server.caller();
    assert.doesNotMatch(caller.request.url ?? '', /codec|frame_ms|bitrate/);
    caller.socket.send('{"type":"started","sample_rate":24000,"channels":1,"codec":"opus"}');
    await hearer.until(() => hearer.states.some(({ kind }) => kind === 'waiting'));
    const waiting = hearer.states.find((state) => state.kind === 'waiting');
    assert.match(waiting?.error.message ?? '', /24000 Hz, 1 channels, opus/);
    await stream.stop('closed');
    await server.close();
  });

  it('asks for it in place of what stands in the address', async () => {
    const server = await FakeAudioServer.listen();
    const url = new URL(`${server.url.href}?codec=mp3&bitrate=1&room=7`);
    const { stream } = listenTo(url, { choice: { codec: 'pcm', frameMs: 5, bitrate: undefined } });
    const { searchParams } = new URL((await server.caller()).request.url ?? '', 'ws://host');
    assert.deepEqual(
      ['room', 'codec', 'frame_ms', 'bitrate'].map((name) => searchParams.getAll(name)),
      [['7'], ['pcm'], ['5'], []],
    );
    await stream.stop('closed');
    await server.close();
  });
});
