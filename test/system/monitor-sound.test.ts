/** *Play* in the tab Audio: the wire's own sound comes out of the browser, pure and whole. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { userDirectoryWithLink } from '../support/linked-package';
import { startMachineWitness } from '../support/machine-witness';
import { MONITORED_TONE as TONE, MONITORS } from '../support/monitored-flow';
import { describeWith, needs } from '../support/needs';
import { startNodeRed, type NodeRed } from '../support/node-red';
import { openEditor, type Editor } from '../support/node-red-editor';
import { startPulse, type PulseDaemon } from '../support/pulse-daemon';
import { NEWER_RUNTIME, OWN_RUNTIME, type UserDirectory } from '../support/runtimes';
import { untilProved, type Fault } from '../support/stall-witness';
import { startTimedRecording } from '../support/timed-recording';
import { channelOf, measureTone } from '../support/tone';

const SINK_RATE = 48_000;
/** Of an attempt: the first second is the jitter buffer's, to settle in. */
const RECORD_MS = 4000;
const SETTLE_MS = 1000;
/** So short that the player may change its speed by 0.1 %, as it does to keep its latency, and the tone stays one; 11 whole cycles of it. */
const WINDOW_MS = 25;
const MAX_VOIDS = 10;
/** Part of the energy that is the tone. */
const LEAST_PURITY = 0.999;
const MAX_AMPLITUDE_ERROR = 0.03;
/** A shorter stall stays within the jitter buffer. */
const CAUSE_MS = 15;

for (const runtime of [OWN_RUNTIME, NEWER_RUNTIME]) {
  describeWith(
    needs('chromium', 'pulseaudio', 'parec', ...runtime.needs),
    `a monitor that plays in ${runtime.name}`,
    ({ test, before, after }) => {
      let userDir: UserDirectory;
      let nodeRed: NodeRed;
      let pulse: PulseDaemon;
      let editor: Editor;

      before(async () => {
        userDir = await userDirectoryWithLink();
        pulse = await startPulse({ norewinds: true });
        nodeRed = await startNodeRed({ ...runtime, userDir: userDir.path });
        await nodeRed.deploy(MONITORS);
        editor = await openEditor(nodeRed.url, { env: pulse.env });
        await editor.page.evaluate("RED.sidebar.show('orgo-audio')");
      });
      after(async () => {
        await editor.close();
        await nodeRed.stop();
        await pulse.stop();
        await userDir.remove();
      });

      test('plays what the wire carries, pure and whole, also while another tab is shown', async (t) => {
        const tone = editor.page.locator('.orgo-audio-item', { hasText: 'A tone' });
        const button = (name: string) => tone.getByRole('button', { name, exact: true });
        await untilProved(t, MAX_VOIDS, async () => {
          const machine = startMachineWitness(nodeRed.pid, pulse.pid);
          await editor.page.evaluate("RED.sidebar.show('orgo-audio')");
          await button('Play').click();
          await button('Stop').waitFor();
          await editor.page.evaluate("RED.sidebar.show('info')");
          const recording = await startTimedRecording(pulse.env, 'vspk.monitor');
          await delay(RECORD_MS);
          const { data, startTime } = await recording.stop();
          await editor.page.evaluate("RED.sidebar.show('orgo-audio')");
          await button('Stop').click();
          return { faults: faultsIn(channelOf(data, 2, 0), startTime), stalls: await machine.stop() };
        });
      });
    },
  );
}

/** What the page's sound lacks of a whole tone; empty where it is whole. @param startTime of the first sample, epoch ms */
function faultsIn(samples: Float64Array, startTime: number): Fault[] {
  const window = (SINK_RATE * WINDOW_MS) / 1000;
  const first = (SINK_RATE * SETTLE_MS) / 1000;
  assert.ok(samples.length >= first + 50 * window, `${samples.length} samples were recorded`);
  const faults: Fault[] = [];
  for (let from = first; from + window <= samples.length; from += window) {
    const part = samples.subarray(from, from + window);
    const { amplitude } = measureTone(part, { hz: TONE.hz, sampleRate: SINK_RATE });
    const energy = part.reduce((sum, sample) => sum + sample * sample, 0) / part.length;
    const purity = amplitude ** 2 / 2 / energy;
    if (purity >= LEAST_PURITY && Math.abs(amplitude - TONE.amplitude) <= MAX_AMPLITUDE_ERROR) continue;
    const fromMs = startTime + (from * 1000) / SINK_RATE;
    faults.push({ what: '', fromMs, toMs: fromMs + WINDOW_MS, causeMs: CAUSE_MS });
  }
  const what = `${faults.length} windows of ${WINDOW_MS} ms broken`;
  return faults.map((fault) => ({ ...fault, what }));
}
