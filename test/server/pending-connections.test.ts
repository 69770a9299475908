import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe } from 'node:test';
import { PendingConnections } from '../../src/server/pending-connections';
import { selfSigned } from '../client/certificate';
import { FakeClock } from '../nodes/fake-clock';
import { needs } from '../support/needs';
import { PASSWORD, ServerRig, type TestClient } from '../support/server-rig';
import { it } from '../support/hang-guard';

const LIMIT = 32;

/** A socket as far as it is looked at. */
class FakeSocket {
  destroyed = false;
  private onClose: () => void = () => undefined;

  constructor(
    readonly remoteAddress: string,
    readonly remotePort: number,
  ) {}

  once(_event: 'close', listener: () => void): void {
    this.onClose = listener;
  }

  destroy(): void {
    this.destroyed = true;
    this.onClose();
  }
}

class Scene {
  readonly clock = new FakeClock();
  readonly pending = new PendingConnections(this.clock);
  private port = 1;

  accept(address: string, count: number, known = true): FakeSocket[] {
    return Array.from({ length: count }, () => {
      const socket = new FakeSocket(address, this.port++);
      this.pending.accepted(socket as unknown as Socket, known ? address : undefined);
      return socket;
    });
  }

  judge(socket: FakeSocket, address = socket.remoteAddress): void {
    this.pending.judged(socket as unknown as Socket, address);
  }
}

const ended = (sockets: readonly FakeSocket[]): boolean[] => sockets.map(({ destroyed }) => destroyed);

describe('connections that are not admitted', () => {
  it('are 32 an address at most: one more ends the oldest', () => {
    const scene = new Scene();
    const sockets = scene.accept('10.0.0.1', LIMIT);
    scene.clock.advance(1000);
    assert.ok(!ended(sockets).includes(true));
    const more = scene.accept('10.0.0.1', 2);
    assert.deepEqual(ended(sockets), [true, true, ...Array<boolean>(LIMIT - 2).fill(false)]);
    assert.deepEqual(ended(more), [false, false]);
  });

  it('have a second to send their request, so that a crowd at one address gets in', () => {
    const scene = new Scene();
    const crowd = scene.accept('10.0.0.1', 100);
    for (const socket of crowd.slice(0, 90)) scene.pending.admitted(socket as unknown as Socket);
    scene.clock.advance(2000);
    assert.ok(!ended(crowd).includes(true));
    assert.equal(scene.clock.pending, 0);
    const silent = scene.accept('10.0.0.2', 100);
    assert.ok(!ended(silent).includes(true));
    scene.clock.advance(1001);
    assert.equal(ended(silent).filter(Boolean).length, 100 - LIMIT);
    assert.equal(ended(silent).lastIndexOf(true), 100 - LIMIT - 1, 'the oldest were ended');
  });

  it('have none once their request was judged', () => {
    const scene = new Scene();
    const sockets = scene.accept('10.0.0.1', LIMIT + 1);
    for (const socket of sockets) scene.judge(socket);
    assert.deepEqual(ended(sockets), [true, ...Array<boolean>(LIMIT).fill(false)]);
  });

  it('count by the /64 of an IPv6 address, and for no other address', () => {
    const scene = new Scene();
    const mine = scene.accept('2001:db8:1:2::1', LIMIT);
    scene.clock.advance(1000);
    const others = [...scene.accept('2001:db8:1:3::1', LIMIT), ...scene.accept('10.0.0.9', LIMIT)];
    assert.ok(!ended([...mine, ...others]).includes(true));
    scene.accept('2001:db8:1:2:ffff::7', 1);
    assert.deepEqual(ended(mine).indexOf(true), 0);
  });

  it('count no more when they are closed or admitted', () => {
    const scene = new Scene();
    const [first, second, ...rest] = scene.accept('10.0.0.1', LIMIT);
    scene.clock.advance(1000);
    first?.destroy();
    scene.pending.admitted(second as unknown as Socket);
    const more = scene.accept('10.0.0.1', 2);
    assert.ok(!ended([...rest, ...more]).includes(true));
    assert.equal(second?.destroyed, false);
  });

  it('behind a proxy count for the address that their request names', () => {
    const scene = new Scene();
    const sockets = scene.accept('127.0.0.1', 200, false);
    scene.clock.advance(1000);
    assert.ok(!ended(sockets).includes(true), 'all come from the proxy');
    for (const socket of sockets.slice(0, LIMIT + 1)) scene.judge(socket, '10.0.0.1');
    for (const socket of sockets.slice(100)) scene.judge(socket, `10.0.1.${socket.remotePort}`);
    assert.equal(ended(sockets).filter(Boolean).length, 1);
  });

  it('are a thousand in all at most', () => {
    const scene = new Scene();
    const sockets = Array.from({ length: 1001 }, (_, i) =>
      scene.accept(`10.0.${i >> 8}.${i & 255}`, 1),
    ).flat();
    assert.equal(ended(sockets).indexOf(true), 0);
    assert.equal(ended(sockets).filter(Boolean).length, 1);
  });
});

/** Connections that say nothing; all of them are accepted by the server when this resolves. */
async function silentSockets(
  port: number,
  count: number,
): Promise<{ sockets: Socket[]; closed: () => number }> {
  let closed = 0;
  let accepted = 0;
  const accept = (): void => {
    accepted++;
  };
  subscribe('net.server.socket', accept);
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => closed++);
    return socket.resume();
  });
  while (accepted < count) await new Promise(setImmediate);
  unsubscribe('net.server.socket', accept);
  return { sockets, closed: () => closed };
}

describe('a right token', () => {
  it('is served at once, though its address holds hundreds of connections that say nothing', async () => {
    const clock = new FakeClock();
    const rig = await ServerRig.open({ clock });
    const { sockets, closed } = await silentSockets(rig.port.port, 200);
    await rig.listen();
    clock.advance(1001);
    while (closed() < 200 - LIMIT) await new Promise(setImmediate);
    await rig.listen();
    while (closed() < 200 - LIMIT + 1) await new Promise(setImmediate);
    assert.equal(closed(), 200 - LIMIT + 1, 'its connection took the place of the oldest');
    assert.equal(rig.audio.listenerCount, 2);
    for (const socket of sockets) socket.destroy();
    await rig.close();
  });

  it('is served at once, though its address guesses: of the guesses that wait, the oldest are ended', async () => {
    const clock = new FakeClock();
    const rig = await ServerRig.open({ clock });
    const guesses: TestClient[] = [];
    for (let i = 0; i < 60; i++) {
      const guess = rig.connect('token=wrong');
      guesses.push(guess);
      await once(guess.webSocket, 'open');
    }
    await rig.listen();
    const cut = (): number => guesses.filter(({ closed }) => closed?.code === 1006).length;
    while (cut() < 60 - 10 - LIMIT + 1) await new Promise(setImmediate);
    assert.equal(
      guesses.slice(0, 10).every(({ closed }) => closed?.code === 4401),
      true,
    );
    assert.equal(cut(), 60 - 10 - LIMIT + 1, 'the one that was admitted took the place of the oldest');
    assert.ok(guesses.slice(-LIMIT + 1).every(({ closed }) => closed === undefined));
    await rig.close();
  });

  it('is one of a hundred that connect in the same moment from one address', async () => {
    const rig = await ServerRig.open({ maxListeners: 200 });
    const clients = Array.from({ length: 100 }, () => rig.connect());
    await Promise.all(clients.map(({ webSocket }) => once(webSocket, 'open')));
    assert.equal(rig.audio.listenerCount, 100);
    await rig.close();
  });

  it('keeps its connection under TLS, where one connection is two sockets', needs('openssl'), async () => {
    const certificate = selfSigned();
    const clock = new FakeClock();
    const rig = await ServerRig.open({ clock }, undefined, certificate);
    const client = rig.connect(`token=${PASSWORD}`, '/audio', { ca: certificate.cert });
    await once(client.webSocket, 'open');
    clock.advance(1000);
    const { sockets, closed } = await silentSockets(rig.port.port, LIMIT + 8);
    clock.advance(1001);
    while (closed() < 8) await new Promise(setImmediate);
    client.send({ type: 'ping' });
    await client.until(() => client.texts.length === 1);
    assert.equal(closed(), 8);
    for (const socket of sockets) socket.destroy();
    await rig.close();
  });
});

describe('a wrong token', () => {
  it('is counted though the guesser hangs up, so that the next guess waits longer', async () => {
    const clock = new FakeClock();
    const rig = await ServerRig.open({ clock });
    for (let i = 0; i < 15; i++) {
      const guess = rig.connect('token=wrong');
      await once(guess.webSocket, 'open');
      guess.webSocket.terminate();
    }
    const last = rig.connect('token=wrong');
    await once(last.webSocket, 'open');
    while (clock.pending > 1) await new Promise(setImmediate);
    assert.equal(clock.nextIn, 6000);
    clock.advance(6000);
    assert.equal((await last.untilClosed()).code, 4401);
    await rig.close();
  });

  it('is answered like a right one while it waits, so that no ping tells which it is', async () => {
    const clock = new FakeClock();
    const rig = await ServerRig.open({ clock });
    for (let i = 0; i < 10; i++) await rig.connect('token=wrong').untilClosed();
    const waiting = rig.connect('token=wrong');
    await once(waiting.webSocket, 'open');
    waiting.send({ type: 'ping' });
    waiting.send('nonsense');
    waiting.webSocket.ping('x');
    let pongs = 0;
    waiting.webSocket.on('pong', () => pongs++);
    // The server answers in order: once it confirms the end, all answers before it are here.
    waiting.webSocket.close();
    await waiting.untilClosed();
    assert.equal(pongs, 1);
    assert.deepEqual(
      waiting.messages.map(({ type }) => type),
      ['pong', 'error'],
    );
    const flooding = rig.connect('token=wrong');
    await once(flooding.webSocket, 'open');
    for (let i = 0; i < 10; i++) flooding.send('nonsense');
    flooding.webSocket.close(1000);
    assert.equal((await flooding.untilClosed()).code, 1008);
    await rig.close();
  });
});
