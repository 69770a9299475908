/** Who looks at which monitor, what they are sent, and what that costs where nobody looks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MonitorHub } from '../../src/monitor/hub';
import type { Monitor } from '../../src/monitor/monitor';
import type { Viewer } from '../../src/monitor/viewer';
import { COLUMN_BYTES, decodeBinary, type BinaryMessage } from '../../src/monitor/viewer-protocol';
import { OpusEncoder } from '../../src/opus/encoder';
import type { PcmFrame } from '../../src/audio/frame';
import { FakeClock } from '../nodes/fake-clock';
import { arrival, counting, FakeSocket, MONO, pcm, sine } from './support';

interface Rig {
  readonly clock: FakeClock;
  readonly hub: MonitorHub;
  readonly a: Monitor;
  readonly b: Monitor;
  readonly connect: () => { socket: FakeSocket; viewer: Viewer };
  /** Feeds `a` with `ms` of sound as it comes, in frames of 20 ms; the page answers every probe. */
  readonly feed: (ms: number, rest?: Parameters<typeof arrival>[1]) => void;
}

function rig(): Rig {
  const clock = new FakeClock();
  const hub = new MonitorHub(clock);
  const add = (id: string): Monitor => hub.add({ id, nodeId: id, name: `Wire ${id}`, historySeconds: 30 });
  const open: { socket: FakeSocket; viewer: Viewer; answered: number }[] = [];
  let position = 0;
  const [a, b] = [add('a'), add('b')];
  return {
    ...{ clock, hub, a, b },
    connect() {
      const socket = new FakeSocket();
      const viewer = hub.connect(socket, () => true);
      viewer.receive(JSON.stringify({ type: 'ticket', ticket: 'good' }));
      open.push({ socket, viewer, answered: 0 });
      return { socket, viewer };
    },
    feed(ms, rest) {
      for (let at = 0; at < ms; at += 20) {
        const time = clock.now() + clock.epochOffset() - 35;
        a.push(arrival(pcm(480, sine(1000, 0.5), { position, time }), rest));
        position += 480;
        clock.advance(20);
        for (const each of open) {
          for (const { n } of each.socket.of('probe').slice(each.answered)) {
            each.viewer.receive(JSON.stringify({ type: 'probe', n }));
          }
          each.answered = each.socket.of('probe').length;
        }
      }
    },
  };
}

function want(viewer: Viewer, levels: string[], sound: string[] = []): void {
  viewer.receive(JSON.stringify({ type: 'want', levels, sound }));
}

function binary(socket: FakeSocket): BinaryMessage[] {
  return socket.bytes.map((bytes) => {
    const message = decodeBinary(Uint8Array.from(bytes).buffer);
    assert.ok(message);
    return message;
  });
}

describe('MonitorHub', () => {
  it('lists the monitors, and tells when one comes, goes, or has another format', () => {
    const { hub, clock, connect, feed, b } = rig();
    const { socket } = connect();
    assert.deepEqual(
      socket.of('monitors')[0]?.monitors.map(({ id, name, format }) => [id, name, format]),
      [
        ['a', 'Wire a', null],
        ['b', 'Wire b', null],
      ],
    );
    feed(200);
    assert.deepEqual(socket.of('monitors').at(-1)?.monitors[0]?.format, MONO);
    hub.remove(b);
    hub.add({ id: 'c', nodeId: 'c', name: 'Wire c', historySeconds: 0 });
    clock.advance(100);
    assert.deepEqual(
      socket
        .of('monitors')
        .at(-1)
        ?.monitors.map(({ id }) => id),
      ['a', 'c'],
    );
  });

  it('sends neither levels nor sound, and sets no timer but the probe, where nobody wants anything', () => {
    const { clock, connect, feed } = rig();
    feed(200);
    assert.equal(clock.pending, 0, 'without a viewer: no timer at all');
    const { socket, viewer } = connect();
    feed(1000);
    want(viewer, ['b']);
    want(viewer, []);
    feed(1000);
    assert.equal(socket.bytes.length, 0);
    assert.equal(socket.of('levels').length, 0);
    assert.equal(clock.pending, 1);
  });

  it('sends the levels of what is looked at ten times a second, and of nothing else', () => {
    const { connect, feed } = rig();
    const { socket, viewer } = connect();
    want(viewer, ['a']);
    feed(2000);
    const levels = socket.of('levels');
    assert.equal(levels.length, 20);
    for (const { levels: each } of levels)
      assert.deepEqual(
        each.map(({ id }) => id),
        ['a'],
      );
    const last = levels.at(-1)?.levels[0];
    assert.ok(
      last && Math.abs(last.rms - -9) <= 0.1 && Math.abs(last.peak - -6) <= 0.1,
      JSON.stringify(last),
    );
    assert.equal(last.ageMs, 15, 'captured 35 ms before, 20 ms long');
    assert.deepEqual([last.gaps, last.others, last.speech], [0, 0, false]);
    const columns = binary(socket).filter(({ kind }) => kind === 'columns');
    const bytes = columns.reduce((sum, { data }) => sum + data.length, 0);
    assert.ok(Math.abs(bytes / COLUMN_BYTES - 40) <= 2, '20 columns a second');
  });

  it('marks speech, counts gaps, and lets age grow and the spectrogram go on when the wire falls silent', () => {
    const { clock, a, connect, feed } = rig();
    const { socket, viewer } = connect();
    want(viewer, ['a']);
    feed(400, { speech: true });
    const spoken = binary(socket).flatMap(({ data }) => [...data].filter((_, i) => i % COLUMN_BYTES === 0));
    assert.ok(spoken.length >= 7 && spoken.every((mark) => mark === 1), String(spoken));
    assert.equal(socket.of('levels').at(-1)?.levels[0]?.speech, true);
    const time = clock.now() + clock.epochOffset();
    a.push(arrival({ ...pcm(480, () => 0, { position: 99_999, time }), gap: 2400 }));
    const before = socket.bytes.length;
    clock.advance(900);
    const last = socket.of('levels').at(-1)?.levels[0];
    assert.deepEqual([last?.gaps, last?.gapMs, last?.rms, last?.speech], [1, 100, -96, false]);
    assert.ok((last?.ageMs ?? 0) >= 800, String(last?.ageMs));
    assert.ok(socket.bytes.length - before >= 7, 'columns of silence');
  });

  it('plays to who wants it, in the turn in which it came, sample for sample', () => {
    const { clock, a, connect } = rig();
    const [one, other] = [connect(), connect()];
    want(one.viewer, [], ['a']);
    const time = clock.now() + clock.epochOffset();
    for (const format of [MONO, { encoding: 'f32le', sampleRate: 44_100, channels: 2 } as const]) {
      one.socket.bytes.length = 0;
      const frame = pcm(441, counting, { format, time });
      a.push(arrival(frame));
      const [message] = binary(one.socket);
      assert.ok(message?.kind === 'sound');
      const { encoding, sampleRate, channels } = message;
      assert.deepEqual({ encoding, sampleRate, channels, time: message.time }, { ...format, time });
      assert.deepEqual(Buffer.from(message.data), frame.data);
    }
    assert.equal(other.socket.bytes.length, 0);
  });

  it('plays a recording in real time, and decodes Opus', () => {
    const { clock, a, connect } = rig();
    const { socket, viewer } = connect();
    want(viewer, [], ['a']);
    a.push(arrival(pcm(24_000, sine(1000, 0.5)), { timed: false }));
    const samplesNow = (): number => binary(socket).reduce((sum, { data }) => sum + data.length / 2, 0);
    assert.ok(samplesNow() <= 2400, `${samplesNow()} at once`);
    clock.advance(500);
    assert.ok(Math.abs(samplesNow() - 14_400) <= 480, `${samplesNow()} after half a second`);
    clock.advance(600);
    assert.equal(samplesNow(), 24_000);
    socket.bytes.length = 0;

    const encoder = new OpusEncoder({});
    for (const frame of encoder.push(
      pcm(24_000, sine(1000, 0.5), { time: clock.now() + clock.epochOffset() }),
    )) {
      a.push(arrival(frame, { stream: 'opus' }));
      clock.advance(20);
      viewer.receive(JSON.stringify({ type: 'probe', n: socket.of('probe').at(-1)?.n ?? 0 }));
    }
    assert.ok(samplesNow() > 22_000, `${samplesNow()} samples of Opus`);
    assert.deepEqual(a.info(0).format, { encoding: 'opus', sampleRate: 24_000, channels: 1 });
  });

  it('goes on playing after a deployment, without being asked', () => {
    const { clock, hub, a, connect } = rig();
    const { socket, viewer } = connect();
    want(viewer, ['a'], ['a']);
    hub.remove(a);
    const again = hub.add({ id: 'a', nodeId: 'a', name: 'Wire a', historySeconds: 30 });
    again.push(arrival(pcm(480, counting, { time: clock.now() })));
    const [sound] = binary(socket);
    clock.advance(150);
    assert.equal(sound?.kind, 'sound');
    assert.equal(
      sound.key,
      socket
        .of('monitors')
        .at(-1)
        ?.monitors.find(({ id }) => id === 'a')?.key,
    );
    assert.ok((socket.of('levels').at(-1)?.levels[0]?.rms ?? -96) > -96);
    // The one that went a second time is no other one.
    hub.remove(a);
    assert.equal(hub.get('a'), again);
  });

  it('follows one stream, counts the others, and takes the next when that one ends or is quiet', () => {
    const { clock, a } = rig();
    const push = (stream: string): void =>
      a.push(arrival(pcm(480, counting, { time: clock.now() }) satisfies PcmFrame, { stream }));
    push('one');
    push('two');
    push('three');
    assert.deepEqual([a.levels().others, a.history.heldSeconds], [2, 0.02]);
    a.end('one');
    push('two');
    assert.deepEqual([a.levels().others, a.history.heldSeconds], [1, 0.04]);
    clock.advance(1001);
    push('four');
    assert.deepEqual([a.levels().others, Math.round(a.history.heldSeconds * 100)], [0, 104]);
  });

  it('forgets a viewer that went', () => {
    const { clock, hub, connect, feed } = rig();
    const { viewer, socket } = connect();
    want(viewer, ['a'], ['a']);
    feed(100);
    hub.disconnect(viewer);
    socket.bytes.length = 0;
    feed(1000);
    assert.deepEqual([socket.bytes.length, clock.pending, hub.connections], [0, 0, 0]);
  });
});
