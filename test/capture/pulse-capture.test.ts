import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import type { PcmFrame } from '../../src/audio/frame';
import type { CaptureDevice } from '../../src/capture/pulse/devices';
import { PulseCapture, type PulseCaptureOptions } from '../../src/capture/pulse/pulse-capture';
import { captureFormat } from '../../src/capture/pulse/record-stream';
import type { Session, SessionEvents, SessionOptions } from '../../src/capture/pulse/session';
import type { SourceState } from '../../src/capture/source';
import { FakeClock } from '../nodes/fake-clock';

const DEVICE: CaptureDevice = {
  sourceIndex: 0,
  sourceName: 'vspk.monitor',
  spec: { format: 3, channels: 2, rate: 48_000 },
  muted: false,
  suspended: false,
  sink: { index: 0, name: 'vspk', driver: 'module-null-sink.c' },
};
const GONE = new OrgoError('ORGO_NO_SOUND_SERVER', 'gone');
/** 10 ms of 48 kHz stereo. */
const CHUNK = Buffer.alloc(1920, 1);

/** Stands in for a sound server: a session does what the test says. */
class FakeSession implements Session {
  kicks = 0;
  closed = false;
  /** How much sound arrives at once, ms: as asked at first, and as changed since. */
  readonly fragments: number[];

  constructor(
    readonly events: SessionEvents,
    { fragmentMs }: Pick<SessionOptions, 'fragmentMs'>,
  ) {
    this.fragments = [fragmentMs];
  }

  setFragment(ms: number): void {
    this.fragments.push(ms);
  }

  kick(): void {
    this.kicks++;
  }

  close(): void {
    this.closed = true;
  }

  stream(device = DEVICE): void {
    this.events.onStream(device, captureFormat(device.spec));
  }

  end(error?: OrgoError): void {
    this.closed = true;
    this.events.onEnd(error);
  }
}

/** Can also jump past its timers, which then fire late: as after the process stood still. */
class StallingClock extends FakeClock {
  private skipped = 0;

  override now(): number {
    return super.now() + this.skipped;
  }

  /** Stands still for `ms`, then fires what fell due meanwhile. */
  stall(milliseconds: number): void {
    const due = this.nextIn ?? 0;
    assert.ok(due < milliseconds);
    this.skipped += milliseconds - due;
    this.advance(due);
  }
}

class Rig {
  readonly clock = new StallingClock();
  readonly sessions: FakeSession[] = [];
  readonly frames: PcmFrame[] = [];
  readonly states: SourceState[] = [];
  readonly capture: PulseCapture;

  constructor(options: Partial<PulseCaptureOptions> = {}) {
    this.capture = new PulseCapture({
      device: '',
      pulseServer: '',
      env: {},
      platform: 'linux',
      clock: this.clock,
      openSession: (options, events) => {
        assert.ok(
          this.sessions.every((session) => session.closed),
          'one connection at a time',
        );
        const session = new FakeSession(events, options);
        this.sessions.push(session);
        return session;
      },
      ...options,
    });
    this.capture.start({
      onFrame: (frame) => this.frames.push(frame),
      onState: (state) => this.states.push(state),
    });
  }

  get session(): FakeSession {
    const session = this.sessions.at(-1);
    assert.ok(session);
    return session;
  }

  get state(): SourceState {
    const state = this.states.at(-1);
    assert.ok(state);
    return state;
  }

  /** As a function, so that the compiler does not think that it stays what it was. */
  error(): OrgoError {
    const { state } = this;
    assert.ok(state.kind === 'lost');
    return state.error;
  }

  /** Sound arrives every 10 ms. */
  flow(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      this.clock.advance(10);
      this.session.events.onAudio(CHUNK);
    }
  }

  /** How long the emitted frames are so far, gaps included, in ms. */
  get emittedMs(): number {
    const last = this.frames.at(-1);
    return last ? (last.position + last.samples) / 48 : 0;
  }

  run(): this {
    this.session.stream();
    this.flow(100);
    return this;
  }
}

describe('PulseCapture', () => {
  it('is starting, then running with the first sound', () => {
    const rig = new Rig();
    assert.deepEqual(rig.states, [{ kind: 'starting' }]);
    rig.session.stream();
    rig.flow(100);
    assert.deepEqual(rig.states, [
      { kind: 'starting' },
      { kind: 'running', device: 'vspk.monitor', muted: false },
    ]);
    assert.equal(rig.frames.length, 10);
  });

  it('kicks a device that delivers nothing, once', () => {
    const rig = new Rig();
    rig.session.stream();
    rig.clock.advance(39);
    assert.equal(rig.session.kicks, 0);
    rig.clock.advance(1000);
    assert.equal(rig.session.kicks, 1);
  });

  it('kicks none that delivers, and none at all where that is turned off', () => {
    const prompt = new Rig().run();
    prompt.flow(1000);
    assert.equal(prompt.session.kicks, 0);
    const off = new Rig({ kick: false });
    off.session.stream();
    off.clock.advance(1000);
    assert.equal(off.session.kicks, 0);
  });

  it('tries again when no sound came for 5 s', () => {
    const rig = new Rig();
    rig.session.stream();
    rig.clock.advance(5500);
    assert.equal(rig.state.kind, 'lost');
    assert.equal(rig.sessions.length, 2);
  });

  it('tells why there is no sound, and tries again after 100, 200, 400, 500, 500 ms', () => {
    const rig = new Rig();
    for (const delay of [100, 200, 400, 500, 500]) {
      const { length } = rig.sessions;
      rig.session.end(GONE);
      rig.clock.advance(delay - 1);
      assert.equal(rig.sessions.length, length);
      rig.clock.advance(1);
      assert.equal(rig.sessions.length, length + 1);
    }
    assert.deepEqual(rig.states, [{ kind: 'starting' }, { kind: 'lost', error: GONE }]);
    assert.deepEqual(rig.frames, [], 'silence stands in only once sound has flowed');
  });

  it('starts the backoff over with the first sound', () => {
    const rig = new Rig();
    for (const delay of [100, 200, 400]) {
      rig.session.end(GONE);
      rig.clock.advance(delay);
    }
    rig.run();
    rig.session.end(GONE);
    rig.clock.advance(100);
    assert.equal(rig.sessions.length, 5);
  });

  it('keeps the sample clock running with silence while the sound server is away', () => {
    const rig = new Rig().run();
    rig.session.end(GONE);
    rig.clock.advance(700);
    assert.ok(Math.abs(rig.emittedMs - 800) <= 30, `${rig.emittedMs} ms`);
    const before = rig.frames.length;
    rig.run();
    assert.ok(Math.abs(rig.emittedMs - 900) < 1, `${rig.emittedMs} ms`);
    assert.equal(rig.frames.length, before + 10, 'the silence ends with the first sound');
    assert.equal(rig.state.kind, 'running');
  });

  it('is stalled after 1 s without a byte, silent meanwhile, and connects anew after 5 s', () => {
    const rig = new Rig().run();
    rig.clock.advance(989);
    assert.equal(rig.state.kind, 'running');
    rig.clock.advance(11);
    assert.equal(rig.state.kind, 'lost');
    rig.clock.advance(3000);
    assert.equal(rig.sessions.length, 1);
    assert.ok(Math.abs(rig.emittedMs - 4100) <= 30, `${rig.emittedMs} ms`);
    rig.clock.advance(1200);
    assert.equal(rig.sessions.length, 2);
    assert.equal(rig.sessions[0]?.closed, true);
  });

  it('runs again when a stalled device delivers', () => {
    const rig = new Rig().run();
    rig.clock.advance(2000);
    assert.equal(rig.state.kind, 'lost');
    rig.session.events.onAudio(CHUNK);
    assert.equal(rig.state.kind, 'running');
  });

  it('takes a stall of its own process for none of the server', () => {
    const rig = new Rig().run();
    rig.clock.stall(2000);
    assert.equal(rig.state.kind, 'running');
    rig.session.events.onAudio(CHUNK);
    rig.flow(500);
    assert.deepEqual(
      rig.states.map((state) => state.kind),
      ['starting', 'running'],
    );
  });

  it('tells muted and unmuted', () => {
    const rig = new Rig().run();
    rig.session.events.onDevice({ ...DEVICE, muted: true });
    assert.deepEqual(rig.state, { kind: 'running', device: 'vspk.monitor', muted: true });
    rig.session.events.onDevice(DEVICE);
    assert.deepEqual(rig.state, { kind: 'running', device: 'vspk.monitor', muted: false });
  });

  it('tells suspended, is silent meanwhile and not stalled, and goes on', () => {
    const rig = new Rig().run();
    rig.session.events.onDevice({ ...DEVICE, suspended: true });
    assert.deepEqual(rig.state, { kind: 'suspended', device: 'vspk.monitor' });
    rig.clock.advance(60_000);
    assert.equal(rig.sessions.length, 1);
    assert.ok(Math.abs(rig.emittedMs - 60_100) <= 30, `${rig.emittedMs} ms`);
    rig.session.events.onDevice(DEVICE);
    rig.flow(100);
    assert.equal(rig.state.kind, 'running');
    assert.ok(Math.abs(rig.emittedMs - 60_200) < 1, `${rig.emittedMs} ms`);
  });

  it('tells suspended at the start only of a device that stays so', () => {
    const rig = new Rig();
    rig.session.stream();
    rig.session.events.onDevice({ ...DEVICE, suspended: true });
    rig.clock.advance(100);
    assert.equal(rig.state.kind, 'starting');
    rig.clock.advance(200);
    assert.equal(rig.state.kind, 'suspended');
    rig.clock.advance(10_000);
    rig.session.events.onDevice(DEVICE);
    rig.flow(20);
    assert.deepEqual(rig.state, { kind: 'running', device: 'vspk.monitor', muted: false });
    assert.equal(rig.frames[0]?.position, 0);
  });

  it('goes over to another device at once, and is running all the while', () => {
    const rig = new Rig().run();
    rig.session.end();
    assert.equal(rig.sessions.length, 2);
    rig.session.stream({
      ...DEVICE,
      sourceName: 'other.monitor',
      spec: { format: 3, channels: 1, rate: 24_000 },
    });
    rig.clock.advance(10);
    rig.session.events.onAudio(Buffer.alloc(480));
    assert.deepEqual(
      rig.states.map((state) => (state.kind === 'running' ? state.device : state.kind)),
      ['starting', 'vspk.monitor', 'other.monitor'],
    );
    assert.deepEqual(rig.frames.at(-1)?.format, { encoding: 's16le', sampleRate: 24_000, channels: 1 });
  });

  it('does not spin when every new device ends before its first sound', () => {
    const rig = new Rig().run();
    rig.session.end();
    rig.session.end();
    assert.equal(rig.sessions.length, 2);
    rig.clock.advance(100);
    assert.equal(rig.sessions.length, 3);
  });

  it('frees session and timers when it is stopped, in every state', () => {
    const reach: readonly ((rig: Rig) => void)[] = [
      () => undefined,
      (rig) => rig.session.stream(),
      (rig) => rig.run(),
      (rig) => rig.run().clock.advance(2000),
      (rig) => rig.run().session.events.onDevice({ ...DEVICE, suspended: true }),
      (rig) => rig.run().session.end(GONE),
    ];
    for (const go of reach) {
      const rig = new Rig();
      go(rig);
      rig.capture.stop();
      rig.capture.stop();
      assert.equal(rig.clock.pending, 0);
      assert.ok(rig.sessions.every((session) => session.closed));
      assert.deepEqual(rig.state, { kind: 'idle' });
    }
  });

  it('may be stopped by who hears a state, or takes a frame', () => {
    for (const stopOn of ['starting', 'running', 'suspended', 'lost', 'frame']) {
      const rig = new Rig();
      let frames = 0;
      rig.capture.start({
        onFrame() {
          frames++;
          if (stopOn === 'frame') rig.capture.stop();
        },
        onState(state) {
          if (state.kind === stopOn) rig.capture.stop();
        },
      });
      const heard = (event: () => void): void => {
        if (!rig.session.closed) event();
      };
      heard(() => rig.session.stream());
      heard(() => rig.session.events.onAudio(CHUNK));
      heard(() => rig.session.events.onDevice({ ...DEVICE, suspended: true }));
      heard(() => rig.session.end(GONE));
      assert.equal(rig.clock.pending, 0, stopOn);
      assert.equal(frames, stopOn === 'starting' || stopOn === 'running' ? 0 : 1, stopOn);
    }
  });

  it('starts a new stream at 0 when it is started again', () => {
    const rig = new Rig().run();
    const frames: PcmFrame[] = [];
    rig.capture.start({ onFrame: (frame) => frames.push(frame), onState: () => undefined });
    rig.run();
    assert.equal(frames[0]?.position, 0);
  });

  for (const platform of ['darwin', 'win32']) {
    it(`says what works on ${platform}, unless an address is given`, () => {
      const rig = new Rig({ platform });
      assert.equal(rig.sessions.length, 0);
      assert.equal(rig.error().code, 'ORGO_CAPTURE_UNSUPPORTED');
      assert.match(rig.error().message, /"input" and "test" work here/);
      assert.equal(new Rig({ platform, pulseServer: 'tcp:host' }).sessions.length, 1);
      assert.equal(new Rig({ platform, env: { PULSE_SERVER: 'tcp:host' } }).sessions.length, 1);
    });
  }

  it('asks for a device rate of its own, unless that is out of range, and for at most two channels', () => {
    const format = (rate: number, channels: number): unknown => captureFormat({ format: 3, rate, channels });
    assert.deepEqual(format(44_100, 1), { encoding: 's16le', sampleRate: 44_100, channels: 1 });
    assert.deepEqual(format(192_000, 6), { encoding: 's16le', sampleRate: 192_000, channels: 2 });
    assert.deepEqual(format(384_000, 2), { encoding: 's16le', sampleRate: 48_000, channels: 2 });
    assert.deepEqual(format(4000, 2), { encoding: 's16le', sampleRate: 48_000, channels: 2 });
  });

  it('asks for the pieces that are wanted: at once, and of each session to come', () => {
    const rig = new Rig();
    assert.deepEqual(rig.session.fragments, [10]);
    rig.capture.setChunk(5);
    rig.capture.setChunk(5);
    rig.capture.setChunk(20);
    assert.deepEqual(rig.session.fragments, [10, 5, 10]);
    rig.capture.setChunk(5);
    rig.session.end(GONE);
    rig.clock.advance(1000);
    assert.deepEqual(rig.session.fragments, [5]);
    rig.capture.stop();
    rig.capture.setChunk(20);
  });
});
