import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { PulseCapture, type PulseCaptureOptions } from '../../src/capture/pulse/pulse-capture';
import { CaptureRecorder, isSilent } from '../support/capture-recorder';
import { describeWith, needs } from '../support/needs';
import { startMachineWitness } from '../support/machine-witness';
import { startPulse, toneSamples, type PulseDaemon, type PulseOptions } from '../support/pulse-daemon';
import { explained, untilProved, type Fault } from '../support/stall-witness';
import { channelOf, measureTone } from '../support/tone';

const RATE = 48_000;
/** Where a player runs dry, a sink that rewinds gives two that record from it different samples. */
const NO_REWINDS: PulseOptions = { norewinds: true };
const MAX_GAP_MS = 100;
/** Of all gaps that a stall explains, in one attempt: more of them void it. */
const MAX_EXCUSED_MS = 250;
/** Attempts in which a witness saw the machine stall: one more fails the test. */
const MAX_VOIDS = 5;

/** Runs a test with a daemon of its own, and ends whatever the test leaves. */
async function withPulse(
  options: PulseOptions,
  test: (
    daemon: PulseDaemon,
    listen: (options?: Partial<PulseCaptureOptions>) => CaptureRecorder,
  ) => Promise<void>,
): Promise<void> {
  const daemon = await startPulse(options);
  const recorders: CaptureRecorder[] = [];
  try {
    await test(daemon, (captureOptions = {}) => {
      const capture = new PulseCapture({ device: '', pulseServer: '', env: daemon.env, ...captureOptions });
      const recorder = new CaptureRecorder(capture).start();
      recorders.push(recorder);
      return recorder;
    });
  } finally {
    for (const recorder of recorders) recorder.stop();
    await daemon.stop();
  }
}

/** Noise that is never zero, the same on every run (a linear congruential generator, Numerical Recipes §7.1). */
function noise(seconds: number): Buffer {
  const data = Buffer.alloc(seconds * RATE * 4);
  let seed = 1;
  for (let at = 0; at < data.length; at += 2) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    data.writeInt16LE((seed >> 18) | 1, at);
  }
  return data;
}

/** Of s16le stereo: 100 ms. */
const MAX_TAIL_BYTES = 0.1 * RATE * 4;

/** Fails unless every frame holds what `recorded` holds at the same distance from a common place. */
function assertSameAs(recorded: Buffer, recorder: CaptureRecorder): void {
  const frames = recorder.frames.filter((frame) => !isSilent(frame));
  // The first frame may begin within the silence before; the second is noise throughout.
  const anchor = frames[1];
  assert.ok(anchor, 'nothing was heard');
  const found = recorded.indexOf(anchor.data);
  assert.ok(found >= 0, 'parec has not recorded what was captured');
  for (const frame of frames) {
    const at = found + (frame.position - anchor.position) * 4;
    // What was captured while parec was being ended is on no recording.
    const isRecorded = at + frame.data.length <= recorded.length;
    assert.ok(isRecorded || at > recorded.length - MAX_TAIL_BYTES, 'the recording ends too early');
    if (!isRecorded) break;
    const expected = recorded.subarray(at, at + frame.data.length);
    assert.ok(expected.equals(frame.data), `other samples at ${frame.position}, after a gap of ${frame.gap}`);
  }
}

/** The amplitude of a tone in the newest `seconds`, of the first channel. */
function toneIn(recorder: CaptureRecorder, hz: number, seconds = 0.2): number {
  const last = recorder.frames.at(-1);
  assert.ok(last);
  const { sampleRate, channels } = last.format;
  const all = Buffer.concat(recorder.frames.slice(-200).map((frame) => frame.data));
  const samples = channelOf(all.subarray(-seconds * sampleRate * channels * 2), channels);
  return measureTone(samples, { hz, sampleRate }).amplitude;
}

/**
 * Resolves once the newest 200 ms are nothing but the tone. A player on a busy machine runs dry again and again: its
 * holes are no fault of the capture, which has to give the tone where there is one.
 */
async function untilWholeTone(recorder: CaptureRecorder, amplitude = 0.49): Promise<void> {
  await recorder.untilSound();
  await recorder.until('200 ms of the whole tone', () => toneIn(recorder, 1000) > amplitude);
}

/** Silence stands in for what is missing, so that a gap of 100 ms is a fault. */
function longGaps({ frames }: CaptureRecorder): Fault[] {
  return frames
    .filter(({ gap }) => gap >= MAX_GAP_MS * (RATE / 1000))
    .map(({ gap, time }) => {
      const gapMs = gap / (RATE / 1000);
      return {
        what: `a gap of ${gapMs.toFixed(0)} ms`,
        fromMs: time - gapMs,
        toMs: time,
        causeMs: MAX_GAP_MS / 2,
      };
    });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert.ok(address !== null && typeof address !== 'string');
  return address.port;
}

/** Keeps this process from doing anything else. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function firstSound(t: TestContext, what: string, recorder: CaptureRecorder): Promise<void> {
  const start = performance.now();
  await recorder.until('the first frame', () => recorder.frames.length > 0);
  t.diagnostic(`first sound from ${what}: ${(performance.now() - start).toFixed(0)} ms`);
}

describeWith(needs('pulseaudio', 'pactl', 'pacat', 'parec'), 'capture from PulseAudio', ({ test: it }) => {
  it('hears the very samples that parec records', () =>
    withPulse(NO_REWINDS, async (daemon, listen) => {
      const recording = await daemon.record('vspk.monitor');
      const recorder = listen();
      await recorder.untilState('running');
      const player = daemon.play(noise(1), { latencyMs: 100 });
      await recorder.untilSound();
      await player.done;
      assertSameAs(await recording.stop(), recorder);
      recorder.assertUnbroken();
      const heard = recorder.frames.filter((frame) => !isSilent(frame));
      assert.ok(heard.reduce((sum, frame) => sum + frame.samples, 0) > RATE * 0.8);
    }));

  it('hears sound at once from a null sink that is idle, suspended by hand or by idling', async (t) => {
    await withPulse({}, async (daemon, listen) => {
      // Whoever recorded with a long buffer leaves the sink rendered ahead.
      await daemon.play({ hz: 440, seconds: 0.1 }).done;
      const idle = listen();
      await firstSound(t, 'an idle null sink', idle);
      idle.stop();
      await daemon.pactl('suspend-sink', 'vspk', '1');
      const suspended = listen();
      await firstSound(t, 'a suspended null sink', suspended);
      await suspended.more(0.2);
      assert.deepEqual(
        suspended.states.map((state) => state.kind),
        ['starting', 'running'],
      );
      suspended.stop();
    });
    await withPulse({ args: ['-L', 'module-suspend-on-idle timeout=0'] }, async (daemon, listen) => {
      while (!(await daemon.pactl('list', 'short', 'sinks')).includes('SUSPENDED'));
      await firstSound(t, 'a null sink suspended by idling', listen());
    });
  });

  for (const [rate, channels, heard] of [
    [44_100, 1, 1],
    [96_000, 2, 2],
    [48_000, 6, 2],
  ] as const) {
    it(`captures a sink of ${rate} Hz and ${channels} channels at its rate, with ${heard}`, () =>
      withPulse({ rate, channels }, async (daemon, listen) => {
        const recorder = listen();
        await recorder.untilState('running');
        daemon.play({ hz: 1000, seconds: 10, rate }, { latencyMs: 50 });
        // Six channels folded into two: how loud, the server decides.
        await untilWholeTone(recorder, channels === 6 ? 0.1 : 0.49);
        const [frame] = recorder.frames;
        assert.deepEqual(frame?.format, { encoding: 's16le', sampleRate: rate, channels: heard });
      }));
  }

  it('after a stall of its own process plays nothing late, and counts what it missed to the sample', () =>
    withPulse(NO_REWINDS, async (daemon, listen) => {
      const recording = await daemon.record('vspk.monitor');
      const recorder = listen();
      await recorder.untilState('running');
      daemon.play(noise(8), { latencyMs: 200 });
      await recorder.untilSound();
      await recorder.more(0.3);
      standStill(2000);
      await recorder.until('the gap', () => recorder.frames.some((frame) => frame.gap > 0));
      await recorder.more(0.5);
      recorder.assertUnbroken();
      assertSameAs(await recording.stop(), recorder);
      const missed = recorder.frames.reduce((sum, frame) => sum + frame.gap, 0);
      assert.ok(missed > 1.7 * RATE, `${missed} samples`);
      assert.ok(
        recorder.states.every((state) => state.kind !== 'lost'),
        'the stall was taken for one of the server',
      );
    }));

  it('is silent while the sound server hangs, and plays nothing late when it goes on', () =>
    withPulse(NO_REWINDS, async (daemon, listen) => {
      const recording = await daemon.record('vspk.monitor');
      const recorder = listen();
      await recorder.untilState('running');
      daemon.play(noise(8), { latencyMs: 200 });
      await recorder.untilSound();
      daemon.hang();
      await recorder.untilState('lost');
      const from = recorder.frames.length;
      await recorder.until('silence', () => recorder.frames.length >= from + 10);
      assert.ok(recorder.frames.slice(from).every(isSilent));
      daemon.resume();
      await recorder.untilState('running');
      await recorder.more(1);
      recorder.assertUnbroken();
      assertSameAs(await recording.stop(), recorder);
    }));

  it('connects anew when the sound server hangs for longer than 5 s', () =>
    withPulse({}, async (daemon, listen) => {
      const recorder = listen();
      await recorder.untilState('running');
      daemon.hang();
      await recorder.until(
        'giving up the connection',
        () => recorder.state?.kind === 'lost' && recorder.state.error.code === 'ORGO_NO_SOUND_SERVER',
      );
      daemon.resume();
      await recorder.untilState('running');
      daemon.play({ hz: 1000, seconds: 3 }, { latencyMs: 50 });
      await recorder.untilSound();
      recorder.assertUnbroken();
      const gaps = recorder.frames.filter((frame) => frame.gap > RATE / 2);
      assert.equal(gaps.length, 1, 'only the second before the silence is missing');
    }));

  it('comes back by itself when the sound server was killed and started again', (t) =>
    untilProved(t, MAX_VOIDS, async () => {
      const machine = startMachineWitness(process.pid);
      let gaps: Fault[] = [];
      await withPulse({}, async (daemon, listen) => {
        machine.watch(daemon.pid);
        const recorder = listen();
        await recorder.untilState('running');
        await recorder.more(0.2);
        await daemon.kill();
        await recorder.untilState('lost');
        assert.ok(recorder.state?.kind === 'lost' && recorder.state.error.code === 'ORGO_NO_SOUND_SERVER');
        await recorder.more(0.5);
        await daemon.restart();
        machine.watch(daemon.pid, 'new');
        await recorder.untilState('running');
        daemon.play({ hz: 1000, seconds: 10 }, { latencyMs: 50 });
        await untilWholeTone(recorder);
        gaps = longGaps(recorder);
        recorder.assertUnbroken();
      });
      const stalls = await machine.stop();
      for (const reason of explained({ faults: gaps, stalls })) t.diagnostic(`excused: ${reason}`);
      const missingMs = gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
      // The server is away for half a second and more: silence was seen to stand in for most of that.
      return { faults: missingMs < MAX_EXCUSED_MS ? [] : gaps, stalls };
    }));

  it('waits for a sound server that is not there yet', () =>
    withPulse({}, async (daemon, listen) => {
      await daemon.kill();
      const recorder = listen();
      await recorder.untilState('lost');
      await daemon.restart();
      await recorder.untilState('running');
    }));

  it('stays with a named sink when the default changes, and when it is unloaded waits for its return', () =>
    withPulse({ sinks: [{ name: 'vspk' }, { name: 'other' }] }, async (daemon, listen) => {
      const recorder = listen({ device: 'vspk' });
      await recorder.untilState('running');
      await daemon.pactl('set-default-sink', 'other');
      await recorder.more(0.3);
      daemon.play({ hz: 1000, seconds: 1 }, { sink: 'vspk', latencyMs: 50 });
      await recorder.untilSound();

      await daemon.pactl('unload-module', '0');
      await recorder.until(
        'no such device',
        () => recorder.state?.kind === 'lost' && recorder.state.error.code === 'ORGO_NO_SUCH_DEVICE',
      );
      assert.ok(recorder.state?.kind === 'lost');
      assert.match(recorder.state.error.message, /"vspk".*It has: other\./);
      await recorder.more(0.3);
      await daemon.pactl('load-module', 'module-null-sink', 'sink_name=vspk', 'rate=48000');
      await recorder.untilState('running');
      daemon.play({ hz: 1000, seconds: 1 }, { sink: 'vspk', latencyMs: 50 });
      await recorder.untilSound();
      recorder.assertUnbroken();
    }));

  it('follows the default sink where no device is named, into its format', () =>
    withPulse(
      { sinks: [{ name: 'vspk' }, { name: 'other', rate: 24_000, channels: 1 }] },
      async (daemon, listen) => {
        const recorder = listen();
        await recorder.untilState('running');
        await recorder.more(0.5);
        await daemon.pactl('set-default-sink', 'other');
        await recorder.until(
          'the other sink',
          () => recorder.state?.kind === 'running' && recorder.state.device === 'other.monitor',
        );
        daemon.play({ hz: 1000, seconds: 10 }, { sink: 'other', latencyMs: 50 });
        await untilWholeTone(recorder);
        assert.equal(recorder.frames.at(-1)?.format.sampleRate, 24_000);
        recorder.assertUnbroken();
        assert.ok(recorder.states.every((state) => state.kind === 'starting' || state.kind === 'running'));
      },
    ));

  it('captures a source by its own name', () =>
    withPulse({}, async (_daemon, listen) => {
      const recorder = listen({ device: 'vspk.monitor' });
      await recorder.untilState('running');
      assert.deepEqual(recorder.state, { kind: 'running', device: 'vspk.monitor', muted: false });
    }));

  it('tells suspended, silent meanwhile, and goes on when it is resumed', () =>
    withPulse({}, async (daemon, listen) => {
      const recorder = listen();
      await recorder.untilState('running');
      await daemon.pactl('suspend-sink', 'vspk', '1');
      await recorder.untilState('suspended');
      await recorder.more(0.5);
      await daemon.pactl('suspend-sink', 'vspk', '0');
      await recorder.untilState('running');
      daemon.play({ hz: 1000, seconds: 2 }, { latencyMs: 50 });
      await recorder.untilSound();
      recorder.assertUnbroken();
    }));

  it('tells a muted sink, and one that is turned down to nothing', () =>
    withPulse({}, async (daemon, listen) => {
      const recorder = listen();
      const untilMuted = (muted: boolean): Promise<void> =>
        recorder.until(
          muted ? 'muted' : 'unmuted',
          () => recorder.state?.kind === 'running' && recorder.state.muted === muted,
        );
      await untilMuted(false);
      await daemon.pactl('set-sink-mute', 'vspk', '1');
      await untilMuted(true);
      await daemon.pactl('set-sink-mute', 'vspk', '0');
      await untilMuted(false);
      await daemon.pactl('set-sink-volume', 'vspk', '0');
      await untilMuted(true);
      await daemon.pactl('set-sink-volume', 'vspk', '65536');
      await untilMuted(false);
    }));

  it('over TCP needs the cookie, and is refused without', async () => {
    const tcpPort = await freePort();
    await withPulse({ tcpPort }, async (daemon, listen) => {
      const pulseServer = `tcp:127.0.0.1:${tcpPort}`;
      const recorder = listen({ pulseServer });
      await recorder.untilState('running');
      const refused = listen({ pulseServer, env: { PULSE_COOKIE: join(daemon.dir, 'absent') } });
      await refused.untilState('lost');
      assert.ok(refused.state?.kind === 'lost');
      assert.equal(refused.state.error.code, 'ORGO_SOUND_ACCESS_DENIED');
    });
  });

  it('names the sinks that exist when there is none of the name', () =>
    withPulse({ sinks: [{ name: 'one' }, { name: 'two' }] }, async (_daemon, listen) => {
      const recorder = listen({ device: 'three' });
      await recorder.untilState('lost');
      assert.ok(recorder.state?.kind === 'lost');
      assert.equal(recorder.state.error.code, 'ORGO_NO_SUCH_DEVICE');
      assert.match(recorder.state.error.message, /"three".*It has: one, two\./);
    }));

  it('gives its sound in shorter pieces when it is asked to, and as before afterwards, with nothing missing', () =>
    withPulse({}, async (daemon) => {
      const capture = new PulseCapture({ device: '', pulseServer: '', env: daemon.env });
      const recorder = new CaptureRecorder(capture).start();
      const lately = (holds: (samples: number) => boolean) => (): boolean => {
        const last = recorder.frames.slice(-20);
        return last.length === 20 && last.every(({ samples }) => holds(samples));
      };
      await recorder.until(
        'pieces of 10 ms',
        lately((samples) => samples > 0.005 * RATE),
      );
      capture.setChunk(5);
      await recorder.until(
        'pieces of 5 ms',
        lately((samples) => samples <= 0.005 * RATE),
      );
      capture.setChunk(20);
      await recorder.until(
        'pieces of 10 ms again',
        lately((samples) => samples > 0.005 * RATE),
      );
      recorder.stop();
      const missing = recorder.frames.filter(({ gap }) => gap > 0);
      assert.deepEqual(
        missing.map(({ gap, position }) => ({ gap, position })),
        [],
      );
    }));

  it('leaves nothing behind at the server when it is stopped', () =>
    withPulse({}, async (daemon, listen) => {
      const recorder = listen();
      await recorder.untilState('running');
      assert.notEqual(await daemon.pactl('list', 'short', 'source-outputs'), '');
      recorder.stop();
      while ((await daemon.pactl('list', 'short', 'source-outputs')) !== '');
    }));
});

describe('the test tone', () => {
  it('is what its measure says', () => {
    const samples = channelOf(toneSamples({ hz: 1000, seconds: 0.1 }), 2);
    assert.ok(Math.abs(measureTone(samples, { hz: 1000, sampleRate: RATE }).amplitude - 0.5) < 0.001);
  });
});
