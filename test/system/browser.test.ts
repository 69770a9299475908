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
import { browserPath } from '../support/browser';
import { describeWith, needs } from '../support/needs';
import { startMachineWitness } from '../support/machine-witness';
import { judgePage, type Heard, type PageWitness } from '../support/page-sound';
import { startPulse, toneSamples, type PulseDaemon } from '../support/pulse-daemon';
import { adopt, endChild } from '../support/sound-clients';
import { CONTROL_TONE, explained } from '../support/stall-witness';
import { startTimedRecording } from '../support/timed-recording';
import { startTlsProxy, type TlsProxy } from '../support/tls-proxy';

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
const TONE = { hz: 440, amplitude: 0.5 };
const LISTEN_SECONDS = 6;
/** Of sound after the first second of a page, whole and heard without a stall. */
const PROVED_SECONDS = 5;
const MAX_RESTARTS = 3;
/** Seconds of sound in which a fault came with a stall that a witness saw: one more fails the test. */
const MAX_VOID_SECONDS = 15;

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

    /** Lets the example play a tone that begins `delaySeconds` after it; tells what was heard of it. */
    async function listen(delaySeconds: number): Promise<Heard> {
      // Computed beforehand: the server runs in this process, and must not be held up.
      const tone = toneSamples({ ...TONE, seconds: 60 });
      const machine = startMachineWitness(process.pid, pulse.pid, proxy.pid);
      const recording = await startTimedRecording(pulse.env, `${HEADPHONES}.monitor`);
      let player = delaySeconds === 0 ? pulse.play(tone, { sink: SPEAKER }) : undefined;
      const page = await context.newPage();
      const scheduled = await secondsScheduled(page);
      await page.goto(`https://${PAGE_HOST}/page`);
      await scheduled.reach(delaySeconds);
      player ??= pulse.play(tone, { sink: SPEAKER });
      await scheduled.reach(delaySeconds + LISTEN_SECONDS);
      const witness = await page.evaluate(() => Reflect.get(globalThis, 'witness') as PageWitness);
      const recorded = await recording.stop();
      await page.close();
      await player.stop();
      return judgePage(recorded, witness, {
        tone: TONE,
        leastSeconds: LISTEN_SECONDS - 1,
        maxRestarts: MAX_RESTARTS,
        stalls: await machine.stop(),
      });
    }

    for (const { situation, delaySeconds } of [
      { situation: 'that plays already', delaySeconds: 0 },
      { situation: 'that begins while it listens to silence', delaySeconds: 2 },
    ]) {
      test(`plays a tone ${situation} whole, and starts over at most ${MAX_RESTARTS} times`, async (t) => {
        let [proved, voids] = [0, 0];
        let isStartProved = false;
        while (proved < PROVED_SECONDS || !isStartProved) {
          const heard = await listen(delaySeconds);
          t.diagnostic(`restarts (s): ${heard.restarts.join(', ') || 'none'}`);
          for (const reason of explained(heard)) t.diagnostic(`void: ${reason}`);
          proved += heard.wholeSeconds;
          voids += heard.brokenSeconds + (heard.isStartWhole ? 0 : 1);
          isStartProved ||= heard.isStartWhole;
          t.diagnostic(`${proved} s proved, ${voids} s void of at most ${MAX_VOID_SECONDS}`);
          assert.ok(
            voids <= MAX_VOID_SECONDS,
            `the machine stalled in ${voids} s: too much to prove anything`,
          );
        }
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
    executablePath: browserPath(),
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
