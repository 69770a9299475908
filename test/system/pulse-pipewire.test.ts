import assert from 'node:assert/strict';
import type { PcmFrame } from '../../src/audio/frame';
import { PulseCapture, type PulseCaptureOptions } from '../../src/capture/pulse/pulse-capture';
import { CaptureRecorder } from '../support/capture-recorder';
import { startMachineWitness } from '../support/machine-witness';
import { PIPEWIRE_PROGRAMS, startPipeWire, type PipeWireDaemon } from '../support/pipewire-daemon';
import { describeWith, needs } from '../support/needs';
import { untilProved, type Fault } from '../support/stall-witness';
import { channelOf, measureTone } from '../support/tone';

/** Attempts in which a witness saw the machine stall: one more fails the test. */
const MAX_VOIDS = 5;
/** A graph of PipeWire turns every 21 ms: a node that is not ready by then is left out. */
const CAUSE_MS = 10;

/** A frame that is not the whole tone, of amplitude 0.5. */
function faintness({ data, time, samples, format: { channels, sampleRate } }: PcmFrame): Fault[] {
  const { amplitude } = measureTone(channelOf(data, channels), { hz: 1000, sampleRate });
  if (amplitude > 0.49) return [];
  const toMs = time + (samples / sampleRate) * 1000;
  return [{ what: `an amplitude of ${amplitude.toFixed(2)}`, fromMs: time, toMs, causeMs: CAUSE_MS }];
}

/** Runs a test with a PipeWire of its own, and ends whatever the test leaves. */
async function withPipeWire(
  test: (
    daemon: PipeWireDaemon,
    listen: (options?: Partial<PulseCaptureOptions>) => CaptureRecorder,
  ) => Promise<void>,
): Promise<void> {
  const daemon = await startPipeWire();
  const recorders: CaptureRecorder[] = [];
  try {
    await test(daemon, (options = {}) => {
      const capture = new PulseCapture({ device: '', pulseServer: '', env: daemon.env, ...options });
      const recorder = new CaptureRecorder(capture).start();
      recorders.push(recorder);
      return recorder;
    });
  } finally {
    for (const recorder of recorders) recorder.stop();
    await daemon.stop();
  }
}

const sinkArguments = (name: string): string[] => [
  'module-null-sink',
  `sink_name=${name}`,
  'rate=48000',
  'channel_map=front-left,front-right',
];

describeWith(needs(...PIPEWIRE_PROGRAMS), "capture from PipeWire's PulseAudio server", ({ test: it }) => {
  it('hears what is played, whole', (t) =>
    untilProved(t, MAX_VOIDS, async () => {
      const faults: Fault[] = [];
      const machine = startMachineWitness(process.pid);
      await withPipeWire(async (daemon, listen) => {
        for (const pid of daemon.pids) machine.watch(pid);
        const start = performance.now();
        const recorder = listen();
        await recorder.untilState('running');
        t.diagnostic(`first sound from PipeWire: ${(performance.now() - start).toFixed(0)} ms`);
        daemon.play({ hz: 1000, seconds: 3 });
        await recorder.untilSound();
        await recorder.more(0.5);
        faults.push(...recorder.frames.slice(-20).flatMap(faintness));
        recorder.assertUnbroken();
      });
      return { faults, stalls: await machine.stop() };
    }));

  it('tells muted and unmuted', () =>
    withPipeWire(async (daemon, listen) => {
      const recorder = listen();
      await recorder.untilState('running');
      await daemon.pactl('set-sink-mute', 'vspk', '1');
      await recorder.until('muted', () => recorder.state?.kind === 'running' && recorder.state.muted);
      await daemon.pactl('set-sink-mute', 'vspk', '0');
      await recorder.until('unmuted', () => recorder.state?.kind === 'running' && !recorder.state.muted);
    }));

  it('names the sinks that exist when there is none of the name, and records no other', () =>
    withPipeWire(async (_daemon, listen) => {
      const recorder = listen({ device: 'absent' });
      await recorder.untilState('lost');
      assert.ok(recorder.state?.kind === 'lost');
      assert.equal(recorder.state.error.code, 'ORGO_NO_SUCH_DEVICE');
      assert.match(recorder.state.error.message, /It has: vspk\./);
      assert.equal(recorder.frames.length, 0);
    }));

  it('follows the default sink, or stays with the one that is named until it is back', () =>
    withPipeWire(async (daemon, listen) => {
      const following = listen();
      const pinned = listen({ device: 'vspk' });
      await following.untilState('running');
      await pinned.untilState('running');
      const old = await daemon.pactl('list', 'short', 'modules');
      await daemon.pactl('load-module', ...sinkArguments('other'));
      await daemon.pactl('set-default-sink', 'other');
      await following.until(
        'the other sink',
        () => following.state?.kind === 'running' && following.state.device === 'other.monitor',
      );
      daemon.play({ hz: 1000, seconds: 2 }, { sink: 'other' });
      await following.untilSound();
      assert.deepEqual(pinned.state, { kind: 'running', device: 'vspk.monitor', muted: false });

      const module = old.split('\n').find((line) => line.includes('sink_name=vspk'));
      assert.ok(module);
      await daemon.pactl('unload-module', module.split('\t')[0] ?? '');
      await pinned.untilState('lost');
      await daemon.pactl('load-module', ...sinkArguments('vspk'));
      await pinned.untilState('running');
      following.assertUnbroken();
      pinned.assertUnbroken();
    }));

  it('comes back by itself when the sound server was killed and started again', () =>
    withPipeWire(async (daemon, listen) => {
      const recorder = listen();
      await recorder.untilState('running');
      await recorder.more(0.2);
      await daemon.killPulse();
      await recorder.untilState('lost');
      await recorder.more(0.5);
      await daemon.restartPulse();
      await recorder.untilState('running');
      daemon.play({ hz: 1000, seconds: 2 });
      await recorder.untilSound();
      recorder.assertUnbroken();
    }));
});
