/** The page /listen of a server in this process, played by a real Chromium into a null sink that is recorded. */
import { chromium, type Browser } from 'playwright-core';
import type { Source } from '../../src/capture/source';
import { AudioServer } from '../../src/server/audio-server';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { browserPath } from '../../test/support/browser';
import { startTimedRecording, type RecordedSound } from '../../test/support/timed-recording';
import { SlowNetwork } from './slow-network';

const PASSWORD = 'of-a-bench';

export interface Played {
  readonly recorded: RecordedSound;
  /** When Listen was pressed, epoch ms. */
  readonly pressedAt: number;
  /** Holes that the page itself counted. */
  readonly gaps: number;
  /** How old the page itself said the sound was, in the end: `85 ms`. */
  readonly age: string;
}

/** Chromium, its sound in the sink `sink` of the sound server that `env` names. */
export function launchBrowser(env: Readonly<Record<string, string>>, sink: string): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath(),
    headless: false,
    args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run'],
    env: { PATH: process.env['PATH'] ?? '', ...env, PULSE_SINK: sink },
  });
}

/**
 * Serves `source`, has the page play it, and records the sink.
 * @param during what happens from the press on; the recording ends when it does
 */
export async function playPage(
  { browser, env, sink }: { browser: Browser; env: Readonly<Record<string, string>>; sink: string },
  source: Source,
  during: (network: SlowNetwork) => Promise<void>,
): Promise<Played> {
  const audio = new AudioServer({ source, password: PASSWORD, pagePath: '/listen' });
  const listener = await StandaloneListener.open(audio, { host: '127.0.0.1', port: 0, maxConnections: 100 });
  const network = await SlowNetwork.to(listener.port);
  const page = await browser.newPage();
  try {
    await page.addInitScript(
      "addEventListener('click', () => (globalThis.pressedAt = performance.timeOrigin + performance.now()), true)",
    );
    await page.goto(`http://127.0.0.1:${network.port}/listen`);
    await page.locator('#password').fill(PASSWORD);
    const recording = await startTimedRecording(env, `${sink}.monitor`);
    await page.locator('#listen').click();
    await during(network);
    const said = async (id: string): Promise<string> => (await page.locator(id).textContent()) ?? '';
    const [age, gaps] = [await said('#age'), Number(await said('#gaps'))];
    const recorded = await recording.stop();
    return { recorded, pressedAt: await page.evaluate<number>('pressedAt'), gaps, age };
  } finally {
    await page.close();
    network.close();
    await audio.close();
    await listener.close();
  }
}
