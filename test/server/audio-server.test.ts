import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import { FakeClock } from '../nodes/fake-clock';
import { ManualSource, ramp, SOURCE_EPOCH, WIRE_DEFAULT } from '../support/manual-source';
import { PASSWORD, ServerRig, type TestClient } from '../support/server-rig';

const FRAME = 480;

/** Runs `body` with a rig that is closed afterwards, whatever happens. */
async function withRig(
  options: Parameters<typeof ServerRig.open>[0],
  body: (rig: ServerRig) => Promise<void>,
  source?: ManualSource,
): Promise<void> {
  const rig = await ServerRig.open(options, source);
  try {
    await body(rig);
  } finally {
    await rig.close();
  }
}

async function closing(client: TestClient): Promise<[number, unknown]> {
  const { code } = await client.untilClosed();
  return [code, client.messages.at(-1)?.['message']];
}

describe('AudioServer: the protocol', () => {
  it('sends `started`, then whole 20 ms frames', () =>
    withRig({}, async (rig) => {
      const client = await rig.listen();
      rig.source.give(FRAME);
      rig.source.give(FRAME);
      await client.until(() => client.binaries.length === 2);
      assert.deepEqual(client.messages, [{ type: 'started', sample_rate: 24000, channels: 1 }]);
      assert.deepEqual(client.pcm, ramp(WIRE_DEFAULT, 0, 2 * FRAME));
    }));

  it('lets the first frame wait for the second, so that a player begins with some to spare', () =>
    withRig({}, async (rig) => {
      const client = await rig.listen();
      rig.source.give(FRAME);
      client.send({ type: 'ping' });
      await client.until(() => client.texts.length === 2);
      assert.equal(client.binaries.length, 0);
      rig.source.give(FRAME);
      await client.until(() => client.binaries.length === 2);
    }));

  it('sends `started` only when real frames follow', () =>
    withRig(
      {},
      async (rig) => {
        const client = await rig.listen();
        client.send({ type: 'ping' });
        await client.until(() => client.texts.length > 0);
        assert.deepEqual(client.messages, [{ type: 'pong' }]);
        rig.source.state({ kind: 'running', device: 'manual', muted: false });
        rig.source.give(FRAME);
        rig.source.give(FRAME);
        await client.until(() => client.binaries.length === 2);
        assert.equal(client.messages[1]?.['type'], 'started');
      },
      new ManualSource(WIRE_DEFAULT, { kind: 'starting' }),
    ));

  it('offers no compression to who asks for it', () =>
    withRig({}, async (rig) => {
      const client = rig.connect(undefined, undefined, { perMessageDeflate: true });
      await once(client.webSocket, 'open');
      assert.equal(client.webSocket.extensions, '');
    }));

  it('answers on both paths', () =>
    withRig({ computerId: 'desk' }, async (rig) => {
      for (const path of ['/audio', '/desktops/desk/ws/audio']) {
        const client = rig.connect(undefined, path);
        await once(client.webSocket, 'open');
        client.send({ type: 'ping' });
        await client.until(() => client.texts.length === 1);
        assert.equal(client.texts[0], '{"type":"pong"}');
        client.webSocket.close();
        await client.untilClosed();
      }
    }));

  it('closes with 1000 on `stop`', () =>
    withRig({}, async (rig) => {
      const client = await rig.listen();
      client.send({ type: 'stop' });
      assert.equal((await client.untilClosed()).code, 1000);
    }));

  it('closes with 1001 when it is stopped, and rejects with 4404 until it is started', () =>
    withRig({}, async (rig) => {
      const client = await rig.listen();
      rig.audio.stop();
      assert.equal((await client.untilClosed()).code, 1001);
      assert.equal((await rig.connect().untilClosed()).code, 4404);
      rig.audio.start();
      await rig.listen();
    }));

  it('tells who asks where each stretch stands on the clock', () =>
    withRig({}, async (rig) => {
      const plain = await rig.listen();
      rig.source.give(FRAME);
      const asking = await rig.listen('&clock=1');
      rig.source.give(FRAME);
      rig.source.give(FRAME, 48_000);
      await asking.until(() => asking.binaries.length >= 7 && asking.texts.length >= 3);
      await plain.until(() => plain.binaries.length >= 8);
      const [started, first, afterDrop] = asking.messages;
      assert.equal(started?.['type'], 'started');
      assert.deepEqual(first, { type: 'clock', position: 0, time: SOURCE_EPOCH + 20, dropped: 0 });
      assert.deepEqual(afterDrop, {
        type: 'clock',
        position: FRAME + 48_000,
        time: SOURCE_EPOCH + 40 + 2000,
        dropped: 48_000 - 2400,
      });
      assert.deepEqual(
        plain.messages.map(({ type }) => type),
        ['started'],
        'who does not ask gets nothing new',
      );
    }));

  it('sends the clock once a second', () => {
    const clock = new FakeClock();
    return withRig({ clock }, async (rig) => {
      const client = await rig.listen('&clock=1');
      for (let i = 0; i < 103; i++) {
        rig.source.give(FRAME);
        clock.advance(20);
        await new Promise(setImmediate);
      }
      await client.until(() => client.binaries.length === 103);
      const positions = client.messages
        .filter(({ type }) => type === 'clock')
        .map(({ position }) => position);
      assert.deepEqual(positions, [0, 24_480, 48_480]);
    });
  });
});

describe('AudioServer: who may listen', () => {
  it('accepts, then closes with 4401, who has no token or a wrong one, whatever else is wrong', () =>
    withRig({ computerId: 'desk' }, async (rig) => {
      for (const query of [
        '',
        'token=',
        'token=wrong',
        `token=${'x'.repeat(8000)}`,
        `token=${PASSWORD}&token=${PASSWORD}`,
        'token=wrong&sample_rate=1',
      ]) {
        const client = rig.connect(query);
        await once(client.webSocket, 'open');
        assert.equal((await client.untilClosed()).code, 4401, query.slice(0, 40));
      }
      assert.equal((await rig.connect('token=wrong', '/desktops/other/ws/audio').untilClosed()).code, 4401);
      assert.equal(rig.source.starts, 0);
    }));

  it('closes with 4404 on another computer', () =>
    withRig({ computerId: 'desk' }, async (rig) => {
      const client = rig.connect(undefined, '/desktops/other/ws/audio');
      assert.equal((await client.untilClosed()).code, 4404);
    }));

  it('puts the eleventh wrong token of a minute off, by the last address that a trusted proxy names', () => {
    const clock = new FakeClock();
    return withRig({ clock, trustProxy: true }, async (rig) => {
      const guess = (address: string): TestClient =>
        rig.connect('token=wrong', '/audio', { headers: { 'X-Forwarded-For': `1.1.1.1, ${address}` } });
      for (let i = 0; i < 10; i++) assert.equal((await guess('10.0.0.1').untilClosed()).code, 4401);
      const eleventh = guess('10.0.0.1');
      await once(eleventh.webSocket, 'open');
      assert.equal((await guess('10.0.0.2').untilClosed()).code, 4401);
      assert.equal(eleventh.closed, undefined);
      await rig.listen();
      clock.advance(1000);
      assert.equal((await eleventh.untilClosed()).code, 4401);
    });
  });

  it('reads the address that a trusted proxy names with its port, and believes no other', async () => {
    const addressOf = (trustProxy: boolean, forwarded: string): Promise<string> => {
      let address = '';
      return withRig({ trustProxy }, async (rig) => {
        const client = rig.connect(undefined, undefined, { headers: { 'X-Forwarded-For': forwarded } });
        await once(client.webSocket, 'open');
        const [connected] = rig.events;
        if (connected?.event === 'listener-connected') address = connected.listener.address;
      }).then(() => address);
    };
    assert.equal(await addressOf(true, '10.9.9.9, 192.0.2.7'), '192.0.2.7');
    assert.equal(await addressOf(true, '192.0.2.7:40123'), '192.0.2.7');
    assert.equal(await addressOf(true, '2001:db8::7'), '2001:db8::7');
    assert.equal(await addressOf(true, '[2001:db8::7]:443'), '2001:db8::7');
    assert.equal(await addressOf(true, 'unknown'), '127.0.0.1');
    assert.equal(await addressOf(true, 'x'.repeat(9000)), '127.0.0.1');
    assert.equal(await addressOf(false, '192.0.2.7'), '127.0.0.1');
  });

  it('refuses a browser of another origin with 403', () =>
    withRig({ allowedOrigins: ['https://good.example'] }, async (rig) => {
      const good = rig.connect(undefined, undefined, { origin: 'https://good.example' });
      await once(good.webSocket, 'open');
      const evil = rig.connect(undefined, undefined, { origin: 'https://evil.example' });
      const [error] = (await once(evil.webSocket, 'error')) as [Error];
      assert.match(error.message, /403/);
    }));

  it('names the parameter, the value and what is allowed, and closes with 4400', () =>
    withRig({}, async (rig) => {
      for (const [query, text] of [
        ['sample_rate=0', /sample_rate is "0": it must be one of 8000, .*48000/],
        ['sample_rate=-1', /"-1"/],
        ['sample_rate=NaN', /"NaN"/],
        ['sample_rate=1e9', /"1e9"/],
        ['sample_rate=24000.5', /"24000.5"/],
        ['sample_rate=', /sample_rate is ""/],
        ['sample_rate=%2B24000', /"\+24000"/],
        ['sample_rate=024000', /"024000"/],
        [`sample_rate=${'9'.repeat(3000)}`, /sample_rate is "9{40}":/],
        ['sample_rate=24000&sample_rate=48000', /given 2 times/],
        ['channels=3', /channels is "3": it must be one of 1, 2/],
        ['channels=1&channels=1', /given 2 times/],
      ] as const) {
        const [code, message] = await closing(rig.connect(`token=${PASSWORD}&${query}`));
        assert.equal(code, 4400, query);
        assert.match(String(message), text);
      }
    }));

  it('turns away with 1013 who comes when it is full', () =>
    withRig({ maxListeners: 1 }, async (rig) => {
      const first = await rig.listen();
      const [code, message] = await closing(rig.connect());
      assert.equal(code, 1013);
      assert.match(String(message), /Too many listeners/);
      first.webSocket.close();
      await first.untilClosed();
      while (rig.audio.listenerCount > 0) await new Promise(setImmediate);
      await rig.listen();
    }));

  it('answers 404 to an upgrade on a path that is none of its own, however it is spelled', () =>
    withRig({}, async (rig) => {
      for (const path of [
        '/',
        '/audio/',
        '/Audio',
        '/%61udio',
        '/../audio',
        '/x/../audio',
        '//audio',
        '/desktops/%2e%2e/ws/audio',
        '/desktops/a%2fb/ws/audio',
        '/desktops/%zz/ws/audio',
        '/desktops//ws/audio',
      ]) {
        const status = await new Promise<number | undefined>((resolve, reject) => {
          const upgrade = request({
            port: rig.port.port,
            path: `${path}?token=${PASSWORD}`,
            headers: {
              Connection: 'Upgrade',
              Upgrade: 'websocket',
              'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
              'Sec-WebSocket-Version': '13',
            },
          });
          upgrade.on('response', (response) => resolve(response.statusCode));
          upgrade.on('upgrade', (response, socket) => {
            socket.destroy();
            resolve(response.statusCode);
          });
          upgrade.on('error', reject);
          upgrade.end();
        });
        assert.equal(status, 404, path);
      }
    }));
});

describe('AudioServer: what listeners say', () => {
  it('answers what it does not know with an error, and goes on; the tenth in 10 s ends it with 1008', () => {
    const clock = new FakeClock();
    return withRig({ clock }, async (rig) => {
      const client = await rig.listen();
      const unreadable = [
        '{"type":"dance"}',
        '[]',
        'null',
        '1',
        'no json',
        '',
        '{"type":["ping"]}',
        '[['.repeat(500),
        '{}',
      ];
      for (const text of unreadable) client.send(text);
      await client.until(() => client.texts.length === 9);
      assert.ok(client.messages.every(({ type }) => type === 'error'));
      clock.advance(10_000);
      for (let i = 0; i < 9; i++) client.send('again');
      client.send({ type: 'ping' });
      await client.until(() => client.texts.at(-1) === '{"type":"pong"}');
      client.send('the tenth');
      assert.equal((await client.untilClosed()).code, 1008);
    });
  });

  it('closes with 1003 on binary, and with 1009 on anything over 1 KiB', () =>
    withRig({}, async (rig) => {
      const binary = await rig.listen();
      binary.send(Buffer.alloc(1024));
      assert.equal((await binary.untilClosed()).code, 1003);
      for (const large of [Buffer.alloc(1025), 'x'.repeat(1025), '['.repeat(1_000_000)]) {
        const client = await rig.listen();
        client.send(large);
        assert.equal((await client.untilClosed()).code, 1009);
      }
    }));
});

describe('AudioServer: the capture behind it', () => {
  it('starts with the first listener, is shared, and stops 2 s after the last', () => {
    const clock = new FakeClock();
    return withRig({ clock }, async (rig) => {
      assert.equal(rig.source.starts, 0);
      const [first, second] = [await rig.listen(), await rig.listen('&sample_rate=48000')];
      assert.equal(rig.source.starts, 1);
      first.webSocket.close();
      second.webSocket.close();
      await Promise.all([first.untilClosed(), second.untilClosed()]);
      while (rig.audio.listenerCount > 0) await new Promise(setImmediate);
      clock.advance(1999);
      assert.ok(rig.source.sink);
      clock.advance(1);
      assert.equal(rig.source.sink, undefined);
    });
  });

  const lost = { kind: 'lost', error: new OrgoError('ORGO_NO_SOUND_SERVER', 'nothing answers') } as const;

  it('answers a capture that can not be had with `error` and 4500', () => {
    const clock = new FakeClock();
    return withRig(
      { clock },
      async (rig) => {
        const client = await rig.listen();
        clock.advance(3000);
        assert.deepEqual(await closing(client), [4500, 'Failed to start audio capture']);
        assert.deepEqual(client.messages, [{ type: 'error', message: 'Failed to start audio capture' }]);
      },
      new ManualSource(WIRE_DEFAULT, lost),
    );
  });

  it('keeps listeners while the sound server is away, and closes them with 4500 after 30 s', () => {
    const clock = new FakeClock();
    return withRig({ clock }, async (rig) => {
      const client = await rig.listen();
      rig.source.give(FRAME);
      rig.source.state(lost);
      clock.advance(29_000);
      rig.source.state({ kind: 'running', device: 'manual', muted: false });
      clock.advance(29_000);
      rig.source.give(FRAME);
      await client.until(() => client.binaries.length === 2);
      rig.source.state(lost);
      rig.source.state(lost);
      clock.advance(30_000);
      assert.deepEqual(await closing(client), [4500, 'Failed to start audio capture']);
      assert.deepEqual(
        rig.events.map(({ event }) => event).filter((event) => event !== 'listener-left'),
        [
          'listener-connected',
          'capture-started',
          'sound-started',
          'capture-lost',
          'capture-resumed',
          'capture-lost',
        ],
      );
    });
  });

  it('tells the exact sample at which sound starts and stops', () =>
    withRig({}, async (rig) => {
      await rig.listen();
      const silent = (samples: number): void => {
        const { format, position } = rig.source;
        rig.source.sink?.onFrame({
          ...{ format, data: Buffer.alloc(samples * 2), samples, position, gap: 0, latencyMs: 0 },
          time: SOURCE_EPOCH + position / 24,
        });
        rig.source.position += samples;
      };
      silent(1234);
      rig.source.give(1000);
      for (let i = 0; i < 60; i++) silent(FRAME);
      const places = rig.events.flatMap((event) =>
        'place' in event ? [[event.event, event.place.position]] : [],
      );
      assert.deepEqual(places, [
        ['sound-started', 1234],
        ['sound-stopped', 2234],
      ]);
    }));
});
