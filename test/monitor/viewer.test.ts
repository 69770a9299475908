/** One editor's connection: its ticket, its messages, and what happens when the page stands still. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tickets } from '../../src/monitor/tickets';
import { Viewer } from '../../src/monitor/viewer';
import { CLOSE, decodeBinary, encodeBinary } from '../../src/monitor/viewer-protocol';
import { FakeClock } from '../nodes/fake-clock';
import { FakeSocket } from './support';

const BYTES = new Uint8Array(24);

function open(): { clock: FakeClock; socket: FakeSocket; viewer: Viewer; say: (message: unknown) => void } {
  const clock = new FakeClock();
  const socket = new FakeSocket();
  const nothing = (): void => undefined;
  const redeem = (ticket: string): boolean => ticket === 'good';
  const viewer = new Viewer(socket, { clock, redeem, onAdmitted: nothing, onWant: nothing });
  return { clock, socket, viewer, say: (message) => viewer.receive(JSON.stringify(message)) };
}

function admitted(): ReturnType<typeof open> {
  const opened = open();
  opened.say({ type: 'ticket', ticket: 'good' });
  return opened;
}

describe('Viewer', () => {
  it('is closed where it shows no ticket within 10 s, and only then', () => {
    const { clock, socket } = open();
    clock.advance(9999);
    assert.equal(socket.closed, undefined);
    clock.advance(1);
    assert.deepEqual(socket.closed, { code: CLOSE.unauthorized, reason: 'no ticket was shown in time' });
    const good = admitted();
    for (let i = 0; i < 100; i++) {
      good.clock.advance(250);
      good.say({ type: 'probe', n: good.socket.of('probe').at(-1)?.n });
    }
    assert.equal(good.socket.closed, undefined);
  });

  for (const [what, first] of [
    ['a wrong ticket', { type: 'ticket', ticket: 'bad' }],
    ['a wish before the ticket', { type: 'want', levels: ['a'], sound: [] }],
    ['an answer before the ticket', { type: 'probe', n: 1 }],
  ] as const) {
    it(`is closed for ${what}, and wants nothing`, () => {
      const { clock, socket, viewer, say } = open();
      say(first);
      assert.equal((socket.closed as { code: number }).code, CLOSE.unauthorized);
      assert.deepEqual([viewer.admitted, viewer.levels.size, clock.pending], [false, 0, 0]);
    });
  }

  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"type":"want","levels":"a","sound":[]}',
    '{"type":"want","levels":[1],"sound":[]}',
    '{"type":"probe","n":"1"}',
  ]) {
    it(`is closed for ${text || 'an empty message'}`, () => {
      const { socket, viewer } = admitted();
      viewer.receive(text);
      assert.equal((socket.closed as { code: number }).code, CLOSE.badMessage);
    });
  }

  it('is sent nothing more once its page answers nothing for a second, and all again when it does', () => {
    const { clock, socket, viewer, say } = admitted();
    for (let i = 0; i < 300; i++) {
      viewer.offer(BYTES);
      clock.advance(20);
    }
    assert.ok(Math.abs(socket.bytes.length - 51) <= 1, `${socket.bytes.length} of 300`);
    assert.equal(viewer.dropped, 300 - socket.bytes.length);
    const probes = socket.of('probe');
    assert.ok(probes.length <= 5, 'probes stop too');
    for (const { n } of probes) say({ type: 'probe', n });
    viewer.offer(BYTES);
    assert.equal(socket.bytes.length + viewer.dropped, 301);
    assert.equal(viewer.dropped, 300 - (socket.bytes.length - 1));
  });

  it('is sent nothing more while half a megabyte waits in this process', () => {
    const { socket, viewer } = admitted();
    socket.bufferedAmount = 600_000;
    viewer.offer(BYTES);
    socket.bufferedAmount = 0;
    viewer.offer(BYTES);
    assert.deepEqual([socket.bytes.length, viewer.dropped], [1, 1]);
  });

  it('is cut off when its page has answered nothing for 20 s: a laptop that sleeps', () => {
    const { clock, socket } = admitted();
    clock.advance(20_000);
    assert.equal(socket.closed, undefined);
    clock.advance(1000);
    assert.equal(socket.closed, 'terminated');
    assert.equal(clock.pending, 0);
  });
});

describe('Tickets', () => {
  it('are good once, and for 30 s', () => {
    const clock = new FakeClock();
    let made = 0;
    const tickets = new Tickets(clock, () => `ticket ${++made}`);
    const [first, second] = [tickets.issue(), tickets.issue()];
    assert.deepEqual(
      [tickets.redeem(first), tickets.redeem(first), tickets.redeem('another')],
      [true, false, false],
    );
    clock.advance(30_000);
    assert.equal(tickets.redeem(second), false);
  });

  it('are at most 256: who asks for more lets the oldest go', () => {
    let made = 0;
    const tickets = new Tickets(new FakeClock(), () => `ticket ${++made}`);
    const all = Array.from({ length: 300 }, () => tickets.issue());
    assert.equal(all.filter((ticket) => tickets.redeem(ticket)).length, 256);
    assert.equal(made, 300);
  });
});

describe('messages of bytes', () => {
  it('come back as they were sent', () => {
    const data = Uint8Array.from({ length: 8 }, (_, i) => i);
    for (const message of [
      { kind: 'sound', key: 7, encoding: 'f32le', sampleRate: 44_100, channels: 2, time: 1.7e12 + 0.5, data },
      { kind: 'columns', key: 4_000_000_000, data },
    ] as const) {
      assert.deepEqual(decodeBinary(encodeBinary(message).buffer), message);
    }
  });

  it('are refused where they are something else', () => {
    assert.equal(decodeBinary(new ArrayBuffer(23)), undefined);
    assert.equal(decodeBinary(Uint8Array.from({ length: 30 }, () => 9).buffer), undefined);
  });
});
