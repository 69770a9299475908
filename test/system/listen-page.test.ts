/**
 * The page /listen in Chromium, behind nginx and a path prefix: what it plays is recorded from the browser's sink. And
 * what it says when something is wrong.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { PacedSource } from '../../src/capture/paced-source';
import { systemClock } from '../../src/audio/clock';
import { AudioServer } from '../../src/server/audio-server';
import type { AudioServerOptions } from '../../src/server/options';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { browserPath } from '../support/browser';
import { describeWith, needs } from '../support/needs';
import { startMachineWitness } from '../support/machine-witness';
import { startPulse, toneSamples, type PulseDaemon } from '../support/pulse-daemon';
import { causeOf, type Fault } from '../support/stall-witness';
import { startTimedRecording, type RecordedSound } from '../support/timed-recording';
import { startTlsProxy, PREFIX, type TlsProxy } from '../support/tls-proxy';
import { channelOf, measureTone } from '../support/tone';

const AXE = createRequire(__filename).resolve('axe-core/axe.min.js');
const PASSWORD = 'correct-horse';
const HOST = 'page.example';
const SINK = 'headphones';
const TONE_HZ = 440;
const WINDOW = 4800;
/** Of the energy of 100 ms. */
const PURE = 0.999;

/** Whole windows that must be heard, and seconds of recording in which a stall that a witness saw may spoil some. */
const PROVED_WINDOWS = 20;
const MAX_RECORDINGS = 10;

/** What the page's own scripts and axe leave in it. */
interface PageGlobals {
  readonly axe: { run(): Promise<AxeResults> };
  readonly document: { readonly documentElement: { readonly scrollWidth: number } };
  readonly history: { readonly length: number };
  readonly localStorage: object;
  readonly sessionStorage: object;
}

class Served {
  private constructor(
    readonly audio: AudioServer,
    readonly listener: StandaloneListener,
  ) {}

  /** A server of an endless tone, with the page. */
  static async start(options: Partial<AudioServerOptions> = {}, port = 0): Promise<Served> {
    const tone = toneSamples({ hz: TONE_HZ, seconds: 2, rate: 48_000 });
    const source = new PacedSource({
      format: { encoding: 's16le', sampleRate: 48_000, channels: 2 },
      device: 'a tone',
      clock: systemClock,
      read: (position, samples) =>
        tone.subarray((position % 48_000) * 4, ((position % 48_000) + samples) * 4),
    });
    const audio = new AudioServer({ source, password: PASSWORD, pagePath: '/listen', ...options });
    const listening = { host: '127.0.0.1', port, maxConnections: 100 };
    return new Served(audio, await StandaloneListener.open(audio, listening));
  }

  get url(): string {
    return `http://127.0.0.1:${this.listener.port}/listen`;
  }

  async stop(): Promise<void> {
    await this.audio.close();
    await this.listener.close();
  }
}

/** Stretches of 100 ms that hold more than the tone, or less. */
function judge({ data, startTime }: RecordedSound): { pure: number; faults: Fault[] } {
  const samples = channelOf(data, 2);
  const faults: Fault[] = [];
  let pure = 0;
  for (let from = 0; from + WINDOW <= samples.length; from += WINDOW) {
    const { amplitude } = measureTone(samples, { hz: TONE_HZ, sampleRate: 48_000 }, from, from + WINDOW);
    const energy = samples.subarray(from, from + WINDOW).reduce((sum, value) => sum + value * value, 0);
    const share = ((amplitude * amplitude) / 2) * (WINDOW / energy);
    if (share >= PURE && amplitude > 0.4) pure++;
    else {
      const fromMs = startTime + from / 48;
      const what = `${(from / 48).toFixed(0)} ms: ${share.toFixed(4)} of the energy, amplitude ${amplitude.toFixed(2)}`;
      faults.push({ what, fromMs, toMs: fromMs + 100, causeMs: 10 });
    }
  }
  return { pure, faults };
}

async function listen(page: Page, url: string, password = PASSWORD): Promise<void> {
  await page.goto(url);
  await page.locator('#password').fill(password);
  await page.locator('#listen').click();
}

async function says(page: Page, id: 'state' | 'problem', text: RegExp): Promise<void> {
  await page.locator(`#${id}`).filter({ hasText: text }).waitFor();
}

describeWith(
  needs('pulseaudio', 'chromium', 'nginx', 'openssl'),
  'the page /listen',
  ({ test, before, after }) => {
    let pulse: PulseDaemon;
    let served: Served;
    let proxy: TlsProxy;
    let browser: BrowserContext;
    let profile: string;

    async function launch(): Promise<BrowserContext> {
      profile = await mkdtemp(join(tmpdir(), 'orgo-listen-'));
      const context = await chromium.launchPersistentContext(profile, {
        executablePath: browserPath(),
        // As a browser with a window runs, but for the window: the library would mute a headless one.
        headless: false,
        viewport: { width: 360, height: 740 },
        env: { PATH: process.env['PATH'] ?? '', ...pulse.env, PULSE_SINK: SINK },
        args: [
          ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
          '--autoplay-policy=document-user-activation-required',
          ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
          `--host-resolver-rules=MAP ${HOST} 127.0.0.1:${proxy.port}`,
          `--ignore-certificate-errors-spki-list=${proxy.publicKeyHash}`,
        ],
      });
      context.setDefaultTimeout(120_000);
      return context;
    }

    before(async () => {
      pulse = await startPulse({ sinks: [{ name: SINK, norewinds: true }] });
      served = await Served.start({ maxListeners: 2 });
      proxy = await startTlsProxy([HOST], served.listener.port, '');
      browser = await launch();
    });
    after(async () => {
      await browser.close();
      await proxy.stop();
      await served.stop();
      await pulse.stop();
      await rm(profile, { recursive: true, force: true });
    });

    test('plays a tone pure, behind a TLS proxy and a path prefix, and asks no one else', async (t) => {
      const page = await browser.newPage();
      const asked: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('console', (message) => complaints.push(message.text()));
      await listen(page, `https://${HOST}${PREFIX}/listen`);
      await says(page, 'state', /Playing/);
      let proved = 0;
      for (let recorded = 0; proved < PROVED_WINDOWS; recorded++) {
        assert.ok(recorded < MAX_RECORDINGS, `only ${proved} windows proved: the machine stalls too much`);
        const machine = startMachineWitness(process.pid, pulse.pid, proxy.pid);
        const recording = await startTimedRecording(pulse.env, `${SINK}.monitor`);
        // Thirty reports of the level: a second and a half of sound, by the sound card's own clock.
        for (let i = 0; i < 3; i++) await page.locator('#age').filter({ hasText: /ms/ }).waitFor();
        await page.evaluate(
          'new Promise((done) => { const context = new AudioContext(); const end = new OscillatorNode(context, { frequency: 0 }); end.connect(context.destination); end.onended = () => context.close().then(() => done(0)); end.start(); end.stop(context.currentTime + 2); })',
        );
        const { pure, faults } = judge(await recording.stop());
        const stalls = await machine.stop();
        proved += pure;
        for (const fault of faults) {
          const cause = causeOf(fault, stalls);
          t.diagnostic(`${fault.what}: ${cause?.what ?? 'no witness saw a stall'}`);
          assert.ok(cause, fault.what);
        }
      }
      const age = await page.locator('#age').textContent();
      t.diagnostic(
        `${proved} windows of 100 ms pure; age ${age}, gaps ${await page.locator('#gaps').textContent()}`,
      );
      assert.deepEqual(
        asked.filter((url) => !url.startsWith(`https://${HOST}${PREFIX}/`)),
        [],
      );
      assert.deepEqual(complaints, []);
      assert.doesNotMatch([page.url(), ...asked].join(' '), /correct-horse/);
      const kept = await page.evaluate(() => {
        const { history, localStorage, sessionStorage } = globalThis as unknown as PageGlobals;
        return [history.length, JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
      });
      assert.deepEqual(kept.slice(1), ['{}', '{}']);
      await page.close();
    });

    test('is usable by keyboard, fits 360 px, and axe finds nothing in it, light and dark', async () => {
      const page = await browser.newPage();
      await page.goto(served.url);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.evaluate((source) => (0, eval)(source) as unknown, await readFile(AXE, 'utf8'));
        const results = await page.evaluate(() => (globalThis as unknown as PageGlobals).axe.run());
        assert.deepEqual(
          results.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          [],
        );
      }
      const width = await page.evaluate(
        () => (globalThis as unknown as PageGlobals).document.documentElement.scrollWidth,
      );
      assert.ok(width <= 360, `${width} px wide`);
      await page.locator('#password').focus();
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await says(page, 'state', /Playing/);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      await says(page, 'state', /Stopped/);
      await page.close();
    });

    test('says that the password is wrong', async () => {
      const page = await browser.newPage();
      await listen(page, served.url, 'wrong');
      await says(page, 'problem', /password is wrong/);
      assert.equal(await page.locator('#listen').textContent(), 'Listen');
      await page.close();
    });

    test('waits for its turn where the server has its listeners', async () => {
      const pages = await Promise.all([browser.newPage(), browser.newPage(), browser.newPage()]);
      const [first, second, third] = pages;
      await listen(first, served.url);
      await listen(second, served.url);
      for (const page of [first, second]) await says(page, 'state', /Playing/);
      await listen(third, served.url);
      await says(third, 'problem', /As many listen as the server takes/);
      await first.locator('#listen').click();
      await says(third, 'state', /Playing/);
      await Promise.all(pages.map((page) => page.close()));
    });

    test('plays on when the server was gone and is back', async () => {
      const gone = await Served.start();
      const page = await browser.newPage();
      await listen(page, gone.url);
      await says(page, 'state', /Playing/);
      await gone.stop();
      await says(page, 'problem', /does not answer/);
      const back = await Served.start({}, gone.listener.port);
      await says(page, 'state', /Playing/);
      assert.equal(await page.locator('#problem').textContent(), '');
      await page.close();
      await back.stop();
    });

    test('says that the browser has no AudioWorklet, and why', async () => {
      const page = await browser.newPage();
      await page.addInitScript('delete globalThis.AudioWorkletNode, delete globalThis.AudioDecoder');
      await listen(page, served.url);
      await says(page, 'problem', /no AudioWorklet/);
      await page.close();
    });

    test('a page that starts without a click learns why nothing plays, and plays after one', async () => {
      const page = await browser.newPage();
      const said: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      const next = (text: string) => page.waitForEvent('console', (message) => message.text() === text);
      // Nothing is evaluated here: the library would count as a click.
      await page.addInitScript(`addEventListener('load', async () => {
        const { createPlayer } = await import('/listen/player.js');
        const player = createPlayer({ url: '/audio', token: '${PASSWORD}' });
        player.addEventListener('problem', () => player.problem && console.log(player.problem.code));
        player.addEventListener('state', () => console.log(player.state));
        addEventListener('click', () => player.start());
        player.start();
      })`);
      const refused = next('autoplay');
      await page.goto(served.url);
      await refused;
      assert.ok(!said.includes('playing'), said.join());
      const playing = next('playing');
      await page.mouse.click(5, 5);
      await playing;
      await page.close();
    });

    test('is not there where listenPage is false', async () => {
      const bare = await Served.start({ pagePath: '' });
      for (const path of ['/listen', '/listen/player.js', '/listen/page.js']) {
        assert.equal((await fetch(`http://127.0.0.1:${bare.listener.port}${path}`)).status, 404);
      }
      const player = await fetch(`${served.url}/player.js`);
      assert.equal(player.headers.get('access-control-allow-origin'), '*');
      await bare.stop();
    });
  },
);
