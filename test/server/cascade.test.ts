import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe } from 'node:test';
import { isPcmFrame } from '../../src/audio/frame';
import { FlowSource } from '../../src/capture/flow-source';
import { AudioServer } from '../../src/server/audio-server';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { listenTo, tokens } from '../client/rig';
import { FakeClock } from '../nodes/fake-clock';
import { ramp, rampValue, SOURCE_EPOCH, WIRE_DEFAULT } from '../support/manual-source';
import { PASSWORD, ServerRig, TestClient } from '../support/server-rig';
import { it } from '../support/hang-guard';

const FRAME = 480;
/** Of a hole, so much goes out as silence at each server. */
const SILENCE = 2400;

describe('a server that is fed what another one serves', () => {
  it('passes position, time and what was left out on, to the sample', async () => {
    const clock = new FakeClock();
    const near = await ServerRig.open({ clock });
    const feed = new FlowSource(clock);
    const far = new AudioServer({ source: feed, password: PASSWORD, clock });
    const port = await StandaloneListener.open(far, { host: '127.0.0.1', port: 0, maxConnections: 10 });

    const client = new TestClient(`ws://127.0.0.1:${port.port}/audio?token=${PASSWORD}&clock=1`);
    await once(client.webSocket, 'open');
    const url = new URL(`ws://127.0.0.1:${near.port.port}/audio`);
    const { stream, hearer } = listenTo(url, { tokens: tokens(PASSWORD), fillGaps: false, clock });
    hearer.onFrame = (frame) => {
      assert.ok(isPcmFrame(frame));
      feed.push(frame, true);
    };
    while (near.audio.listenerCount === 0) await new Promise(setImmediate);

    const hole = 48_000;
    for (let i = 0; i < 10; i++) near.source.give(FRAME);
    near.source.give(FRAME, hole);
    for (let i = 0; i < 9; i++) near.source.give(FRAME);
    await client.until(() => client.binaries.length === 30);

    const behind = 10 * FRAME + hole;
    assert.deepEqual(client.messages, [
      { type: 'started', sample_rate: 24000, channels: 1 },
      { type: 'clock', position: 0, time: SOURCE_EPOCH, dropped: 0 },
      {
        type: 'clock',
        position: behind,
        time: SOURCE_EPOCH + behind / 24,
        dropped: hole - 2 * SILENCE,
      },
    ]);
    const silence = Buffer.alloc(2 * SILENCE * 2);
    assert.deepEqual(
      client.pcm,
      Buffer.concat([ramp(WIRE_DEFAULT, 0, 10 * FRAME), silence, ramp(WIRE_DEFAULT, behind, 10 * FRAME)]),
    );
    assert.equal(client.binaries[20]?.readInt16LE(0), rampValue(behind));
    assert.equal(stream.exact, true);

    await stream.stop('closed');
    await far.close();
    await port.close();
    await near.close();
  });
});
