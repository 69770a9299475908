/** What a streaming service may do wrong: each is said in words, and what was said before and after it is kept. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe } from 'node:test';
import type { PcmFormat } from '../../src/audio/format';
import { DEEPGRAM } from '../../src/transcribe/services/deepgram';
import { FakeClock } from '../nodes/fake-clock';
import { it } from '../support/hang-guard';
import { speech, wordsInARow } from './support/coded-words';
import { DEEPGRAM_KEY, startDeepgram } from './support/deepgram-stand-in';
import { SessionRig, type RigOptions } from './support/session-rig';
import type { WebSocketStandIn } from './support/web-socket-stand-in';

const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24_000, channels: 1 };
const SAID = wordsInARow(2, 100);
const SOUND = speech(24_000, SAID, 700);

describe('a streaming service', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startDeepgram(clock);
  });
  afterEach(() => standIn.stop());

  const listen = (more: Partial<RigOptions> = {}): SessionRig =>
    new SessionRig({ service: DEEPGRAM, standIn, clock, entered: { apiKey: DEEPGRAM_KEY }, ...more });

  async function connected(): Promise<SessionRig> {
    const rig = listen();
    rig.hear(SOUND, MONO_24K);
    await rig.until(() => rig.session.state.kind === 'connected');
    return rig;
  }

  const garbage: readonly [name: string, message: string | Buffer][] = [
    ['no JSON', 'garbage'],
    ['a web page', '<html><body>502 Bad Gateway</body></html>'],
    ['half an object', '{"type":"Results","chan'],
    ['JSON that is no object', '[1, 2]'],
    ['binary', Buffer.alloc(100)],
    ['a type that it does not have', '{"type":"Surprise"}'],
    [
      'words without a place',
      '{"type":"Results","is_final":true,"channel":{"alternatives":[{"transcript":"x"}]}}',
    ],
    ['times that are none', '{"type":"Results","start":"a","duration":null,"channel":{"alternatives":[{}]}}'],
    [
      'an answer without alternatives',
      '{"type":"Results","start":0,"duration":1,"is_final":true,"channel":{}}',
    ],
  ];
  for (const [name, message] of garbage) {
    it(`that sends ${name} is told of once a minute, and goes on`, async () => {
      const rig = await connected();
      for (let i = 0; i < 3; i++) standIn.caller?.socket.send(message);
      await rig.session.end(5000);
      rig.assertWords(SAID);
      assert.deepEqual(
        rig.errors.map(({ code }) => code),
        ['ORGO_SERVICE_BAD_ANSWER'],
      );
      assert.equal(standIn.callers.length, 1);
    });
  }

  it('that sends 10 MB at once is left, and asked anew', async () => {
    const rig = await connected();
    standIn.caller?.socket.send('x'.repeat(10 * 1024 * 1024));
    await rig.until(() => rig.session.state.kind === 'waiting');
    assert.match(rig.errors.join(), /broke the WebSocket protocol/);
    clock.advance(500);
    await rig.session.end(5000);
    rig.assertWords(SAID);
  });

  it('that breaks off in the middle of a message is asked anew', async () => {
    const rig = await connected();
    const { _socket: socket } = standIn.caller?.socket as unknown as { _socket: Socket };
    // A text of 100 bytes, of which four come.
    socket.end(Buffer.from([0x81, 100, 0x7b, 0x22, 0x61, 0x22]));
    await rig.until(() => rig.session.state.kind === 'waiting');
    clock.advance(500);
    await rig.session.end(5000);
    rig.assertWords(SAID);
  });

  it('that refuses a model says so in its own words, and is tried again after 30 s', async () => {
    const rig = await connected();
    standIn.caller?.socket.close(1008, 'DATA-0000 no such model');
    await rig.until(() => rig.session.state.kind === 'waiting');
    const { state } = rig.session;
    assert.ok(state.kind === 'waiting');
    assert.deepEqual([state.failure.kind, state.retryInMs], ['refused', 30_000]);
    assert.match(rig.errors.join(), /refused: “DATA-0000 no such model/);
    rig.session.close();
  });

  it('without an answer to the handshake is given up after the time for one try', async () => {
    const sockets: Socket[] = [];
    const silent: Server = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const rig = listen({
      timeoutMs: 3000,
      entered: { apiKey: DEEPGRAM_KEY, url: `ws://127.0.0.1:${port}/v1/listen` },
    });
    const asked = once(silent, 'connection');
    rig.hear(SOUND, MONO_24K);
    await asked;
    clock.advance(3000);
    assert.match(rig.errors.join(), /no WebSocket opened within 3 s/);
    rig.session.close();
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('where nothing listens, or that is no address, says which address', async () => {
    await standIn.vanish();
    const rig = listen();
    rig.hear(SOUND, MONO_24K);
    await rig.until(() => rig.session.state.kind === 'waiting');
    assert.match(rig.errors.join(), /Nothing listens at 127\.0\.0\.1:\d+/);
    rig.session.close();
  });

  it('that answers no more of the last words is waited for, but not for ever; what has none is counted', async () => {
    const rig = await connected();
    standIn.caller?.socket.removeAllListeners('message');
    const end = rig.session.end(4000);
    await rig.until(() => rig.session.sentMs > 600);
    clock.advance(4000);
    await end;
    const dropped = rig.events.filter(({ event }) => event === 'dropped');
    assert.equal(dropped.length, 1);
    assert.ok(Math.abs(Number(dropped[0]?.['durationMs']) - 700) < 5);
  });
});
