/**
 * The protocol document's JavaScript example, its text untouched, in Chromium: behind nginx, from another origin,
 * hearing a plain null sink. What Chromium plays is recorded, and looked at in windows of 10 ms.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { systemClock } from '../../src/audio/clock';
import { PulseCapture } from '../../src/capture/pulse/pulse-capture';
import { AudioServer } from '../../src/server/audio-server';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { describeWith, needs } from '../support/needs';
import { CONTROL_TONE, stallsSeen } from '../support/stall-witness';
import { startPulse, toneSamples, type PulseDaemon } from '../support/pulse-daemon';
import { adopt, endChild } from '../support/sound-clients';
import { startTlsProxy, type TlsProxy } from '../support/tls-proxy';
import { channelOf, measureTone, phaseStep } from '../support/tone';

const WITNESS = join(__dirname, 'fixtures', 'page-witness.js');
const CONTROL_STREAM = join(__dirname, 'fixtures', 'control-stream.cjs');
const EXAMPLE = join(__dirname, 'fixtures', 'document-example.js.txt');
/** Of the example as the document has it: nobody may improve it. */
const EXAMPLE_SHA256 = 'd7174dade68967be38f4d681b70d4956dd73aad4488a412a3e8c91945260c0f5';
const COMPUTER_ID = 'a3bb189e-8bf9-3888-9912-ace4e6543002';
const API_KEY = 'key-of-the-browser-test';
const PAGE_HOST = 'page.example';

const SPEAKER = 'vspk';
const HEADPHONES = 'headphones';
const TONE = { hz: 440, sampleRate: 48_000 };
const AMPLITUDE = 0.5;
const WINDOW_SAMPLES = 480;
/** Chromium's resampling leaves less than this between two windows of a whole tone; 1 ms of gap makes 2.8 rad. */
const MAX_PHASE_STEP = 0.1;
const LISTEN_SECONDS = 6;
const MAX_RESTARTS = 3;
/** Attempts in which a witness saw the machine stall: one more fails the test. */
const MAX_VOIDS = 6;

/** One call of AudioBufferSourceNode.start, seconds of the context's clock. */
interface Start {
  readonly when: number;
  readonly duration: number;
}

/** What `page-witness.js` writes down. */
interface Witness {
  readonly starts: readonly Start[];
  /** Of each control message, on a clock whose zero is not known. */
  readonly latenessMs: readonly number[];
}

/** One attempt. */
interface Heard {
  /** Seconds since the first buffer. */
  readonly restarts: readonly number[];
  readonly faults: readonly string[];
  readonly stalls: readonly string[];
}

describeWith(
  needs('pulseaudio', 'chromium', 'nginx', 'openssl'),
  'the document’s example in a browser',
  ({ test, before, after }) => {
    let pulse: PulseDaemon;
    let audio: AudioServer;
    let port: StandaloneListener;
    let proxy: TlsProxy;
    let context: BrowserContext;
    let profile: string;
    let control: ChildProcessByStdio<null, Readable, null>;

    before(async () => {
      const example = await readFile(EXAMPLE, 'utf8');
      assert.equal(
        createHash('sha256').update(example).digest('hex'),
        EXAMPLE_SHA256,
        'the example was changed',
      );
      pulse = await startPulse({ sinks: [{ name: SPEAKER }, { name: HEADPHONES, norewinds: true }] });
      audio = new AudioServer({
        source: new PulseCapture({
          device: SPEAKER,
          pulseServer: `unix:${pulse.socket}`,
          clock: systemClock,
        }),
        password: 'correct-horse',
        apiKey: API_KEY,
        computerId: COMPUTER_ID,
      });
      port = await StandaloneListener.open(audio, { host: '127.0.0.1', port: 0, maxConnections: 100 });
      const names = ['www.orgo.ai', '*.orgo.dev', PAGE_HOST];
      proxy = await startTlsProxy(
        names,
        port.port,
        `<!doctype html><script type="module">${example}</script>`,
      );
      profile = await mkdtemp(join(tmpdir(), 'orgo-chromium-'));
      control = adopt(spawn(process.execPath, [CONTROL_STREAM], { stdio: ['ignore', 'pipe', 'inherit'] }));
      const [controlPort] = (await once(control.stdout, 'data')) as [Buffer];
      context = await startChromium({
        profile,
        names,
        proxy,
        pulse,
        controlPort: Number(String(controlPort)),
      });
    });
    after(async () => {
      await context.close();
      await endChild(control);
      await rm(profile, { recursive: true, force: true });
      await proxy.stop();
      await audio.close();
      await port.close();
      await pulse.stop();
    });

    /** Lets the example play a tone that begins `delaySeconds` after it; tells what was wrong with it. */
    async function listen(delaySeconds: number): Promise<Heard> {
      // Computed beforehand: the server runs in this process, and must not be held up.
      const tone = toneSamples({ hz: TONE.hz, seconds: 30, amplitude: AMPLITUDE });
      const recording = await pulse.record(`${HEADPHONES}.monitor`);
      let player = delaySeconds === 0 ? pulse.play(tone, { sink: SPEAKER }) : undefined;
      const page = await context.newPage();
      const scheduled = await secondsScheduled(page);
      await page.goto(`https://${PAGE_HOST}/page`);
      await scheduled.reach(delaySeconds);
      player ??= pulse.play(tone, { sink: SPEAKER });
      await scheduled.reach(delaySeconds + LISTEN_SECONDS);
      const { starts, latenessMs } = await page.evaluate(() => Reflect.get(globalThis, 'witness') as Witness);
      const recorded = await recording.stop();
      await page.close();
      await player.stop();

      const restarts = restartTimes(starts);
      const faults = brokenWindows(channelOf(recorded, 2, 0));
      if (restarts.length > MAX_RESTARTS) faults.push(`${restarts.length} restarts`);
      const late = restarts.filter((seconds) => seconds > 1);
      if (late.length > 0) faults.push(`restarts after the first second, at ${late.join(', ')} s`);
      return { restarts, faults, stalls: stallsSeen(latenessMs, channelOf(recorded, 2, 1)) };
    }

    for (const { situation, delaySeconds } of [
      { situation: 'that plays already', delaySeconds: 0 },
      { situation: 'that begins while it listens to silence', delaySeconds: 2 },
    ]) {
      test(`plays a tone ${situation} whole, and starts over at most ${MAX_RESTARTS} times`, async (t) => {
        for (let voids = 0; voids <= MAX_VOIDS; voids++) {
          const { restarts, faults, stalls } = await listen(delaySeconds);
          t.diagnostic(`restarts (s): ${restarts.join(', ') || 'none'}; ${faults.join('; ') || 'no fault'}`);
          if (faults.length === 0) return;
          assert.notEqual(stalls.length, 0, `no witness saw a stall, and yet: ${faults.join('; ')}`);
          t.diagnostic(`void ${voids + 1}: the machine stalled: ${stalls.join('; ')}`);
        }
        assert.fail(`the machine stalled in each of ${MAX_VOIDS + 1} attempts: nothing was proved`);
      });
    }
  },
);

interface Surroundings {
  /** Directory */
  readonly profile: string;
  readonly names: readonly string[];
  readonly proxy: TlsProxy;
  readonly pulse: PulseDaemon;
  readonly controlPort: number;
}

/** Chromium with a profile of its own, that plays into the headphones and finds all `names` at the proxy. */
async function startChromium({
  profile,
  names,
  proxy,
  pulse,
  controlPort,
}: Surroundings): Promise<BrowserContext> {
  const rules = names.map((name) => `MAP ${name} 127.0.0.1:${proxy.port}`).join(', ');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    // As a browser with a window runs, but for the window: the library would mute a headless one.
    headless: false,
    env: { PATH: process.env['PATH'] ?? '', ...pulse.env, PULSE_SINK: HEADPHONES },
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
      `--host-resolver-rules=${rules}`,
      `--ignore-certificate-errors-spki-list=${proxy.publicKeyHash}`,
    ],
  });
  const setup = {
    apiKey: API_KEY,
    controlPort,
    controlHz: CONTROL_TONE.hz,
    controlAmplitude: CONTROL_TONE.amplitude,
  };
  await context.addInitScript({
    content: `{ const setup = ${JSON.stringify(setup)}; ${await readFile(WITNESS, 'utf8')} }`,
  });
  return context;
}

/**
 * The seconds that the example has scheduled since its first buffer, as the page tells them: asking it again and
 * again would hold up the thread that plays.
 */
async function secondsScheduled(page: Page): Promise<{ reach(seconds: number): Promise<void> }> {
  const seconds = new EventEmitter();
  let reached = -1;
  await page.exposeFunction('tellSecond', (second: number) => {
    reached = second;
    seconds.emit('reached');
  });
  return {
    async reach(wanted) {
      while (reached < wanted) await once(seconds, 'reached');
    },
  };
}

/** When, in seconds since the first buffer, a buffer was not scheduled right at the end of the one before. */
function restartTimes(starts: readonly Start[]): number[] {
  const first = starts[0]?.when ?? 0;
  return starts
    .filter(({ when }, i) => {
      const before = starts[i - 1];
      return before !== undefined && Math.abs(before.when + before.duration - when) > 1e-6;
    })
    .map(({ when }) => Number((when - first).toFixed(3)));
}

/** Where the tone, from one second after its onset, does not keep its loudness or its phase. */
function brokenWindows(samples: Float64Array): string[] {
  const windows = Array.from({ length: Math.floor(samples.length / WINDOW_SAMPLES) }, (_, i) =>
    measureTone(samples, TONE, i * WINDOW_SAMPLES, (i + 1) * WINDOW_SAMPLES),
  );
  const isTone = ({ amplitude }: { amplitude: number }): boolean => amplitude > AMPLITUDE / 2;
  const second = TONE.sampleRate / WINDOW_SAMPLES;
  const onset = windows.findIndex(isTone);
  const end = windows.findLastIndex(isTone);
  if (onset < 0 || end - onset < (LISTEN_SECONDS - 1) * second)
    return [`a tone of only ${end - onset} windows`];
  const broken = [];
  for (let i = onset + second; i < end; i++) {
    const [before, now] = [windows[i - 1]!, windows[i]!];
    const step = phaseStep(before.phase, now.phase);
    if (Math.abs(now.amplitude - AMPLITUDE) > AMPLITUDE * 0.1 || Math.abs(step) > MAX_PHASE_STEP) {
      const [amplitude, phase] = [now.amplitude.toFixed(2), step.toFixed(2)];
      broken.push(
        `broken ${(i - onset) / second} s after the onset (amplitude ${amplitude}, step ${phase} rad)`,
      );
    }
  }
  return broken;
}
