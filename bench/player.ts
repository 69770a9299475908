/**
 * The player, in a real Chromium that plays the page /listen into a null sink which is recorded: how soon, how late, how
 * pure and with how many holes. `npm run bench -- player [--minutes 10] [--seconds 30]`; minutes are those of the two long runs.
 */
import { cpus, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Clock } from '../src/audio/clock';
import { PacedSource } from '../src/capture/paced-source';
import { createSource } from '../src/capture/sources';
import { startPulse } from '../test/support/pulse-daemon';
import { startTimedRecording } from '../test/support/timed-recording';
import { LOOP, LOOP_MS, MARK_MS, marked, marksIn, RATE, toneReport } from './lib/marked-sound';
import { launchBrowser, playPage } from './lib/played-page';
import { argument, printTable, quantile } from './lib/table';

const SECONDS = argument('seconds', 30);
const MINUTES = argument('minutes', 10);
const DRIFT_PPM = 200;
const JITTER_MS = 50;
const STALL_MS = 500;
/** The jitter buffer's, to settle in, ms. */
const SETTLE_MS = 5000;
/** The old latency is reached where it is missed by no more, ms. */
const BACK_WITHIN_MS = 15;

/** A source with a clock of its own, which keeps when each impulse was due. */
function pacedSource(ppm: number): { source: PacedSource; due: number[] } {
  const due: number[] = [];
  const rate = 1 + ppm * 1e-6;
  const clock: Clock = {
    now: () => systemClock.now() * rate,
    epochOffset: () => systemClock.epochOffset() + systemClock.now() * (1 - rate),
    after: (ms, fn) => systemClock.after(ms / rate, fn),
  };
  const source = new PacedSource({
    ...{ clock, device: 'a bench', format: { encoding: 's16le', sampleRate: RATE, channels: 2 } },
    read(position, samples) {
      const { data, marks } = marked(position, samples);
      const end = systemClock.now() + systemClock.epochOffset();
      for (const mark of marks) due.push(end - ((samples - mark) * 1000) / RATE / rate);
      return data;
    },
  });
  return { source, due };
}

/** How long after it was due each impulse was heard. */
function delays(due: readonly number[], heard: readonly number[]): { at: number; ms: number }[] {
  return heard.flatMap((at) => {
    const begun = due.findLast((time) => time <= at);
    return begun !== undefined && at - begun < MARK_MS ? [{ at, ms: at - begun }] : [];
  });
}

const median = (values: readonly { ms: number }[]): number =>
  quantile(
    values.map(({ ms }) => ms),
    0.5,
  );

async function main(): Promise<void> {
  const load = loadavg()[0] ?? 0;
  const pulse = await startPulse({
    sinks: [
      { name: 'computer', norewinds: true },
      { name: 'ear', norewinds: true },
    ],
  });
  const browser = await launchBrowser(pulse.env, 'ear');
  const rig = { browser, env: pulse.env, sink: 'ear' };
  const rows: string[][] = [];
  try {
    const loops = Math.ceil((SECONDS * 1000 + 120_000) / LOOP_MS);
    const player = pulse.play(Buffer.concat(Array<Buffer>(loops).fill(LOOP)), {
      sink: 'computer',
      latencyMs: 100,
    });
    const computer = await startTimedRecording(pulse.env, 'computer.monitor');
    const settings = { device: 'computer', pulseServer: `unix:${pulse.socket}` };
    const real = await playPage(rig, createSource('pulse', settings, systemClock), () =>
      delay(SECONDS * 1000),
    );
    await player.stop();
    const through = delays(marksIn(await computer.stop()), marksIn(real.recorded)).filter(
      ({ at }) => at > real.pressedAt + SETTLE_MS,
    );
    rows.push(
      ['play pressed → sound', '≤ 300 ms', `${onsetAfter(real.recorded, real.pressedAt).toFixed(0)} ms`],
      [
        `sink → server → page → sink, p50 of ${through.length}`,
        '≤ 120 ms',
        `${median(through).toFixed(0)} ms`,
      ],
    );

    const drifting = pacedSource(DRIFT_PPM);
    const long = await playPage(rig, drifting.source, () => delay(MINUTES * 60_000));
    const late = delays(drifting.due, marksIn(long.recorded)).filter(
      ({ at }) => at > long.pressedAt + SETTLE_MS,
    );
    const part = Math.max(1, Math.floor(late.length / 5));
    const growth = median(late.slice(-part)) - median(late.slice(0, part));
    const tone = toneReport(long.recorded, SETTLE_MS);
    rows.push(
      [`growth over ${MINUTES} min, ${DRIFT_PPM} ppm off`, '0 ms', `${growth.toFixed(1)} ms`],
      [`purity of a tone, p50 of ${tone.windows} windows`, '≥ 0.999', tone.purity.toFixed(5)],
      [`holes in it (the page counts ${long.gaps})`, '0', String(tone.holes)],
    );

    const jittery = pacedSource(0);
    const rough = await playPage(rig, jittery.source, async (network) => {
      network.jitterMs = JITTER_MS;
      await delay(MINUTES * 60_000);
    });
    const holes = toneReport(rough.recorded, SETTLE_MS).holes;
    rows.push([`holes in ${MINUTES} min with ${JITTER_MS} ms of jitter, after 5 s`, '0', String(holes)]);

    rows.push(await stall(rig));
  } finally {
    await browser.close();
    await pulse.stop();
  }
  printTable(
    `Player: Chromium, 48 kHz stereo; load ${load.toFixed(1)} to ${(loadavg()[0] ?? 0).toFixed(1)} on ${cpus().length} cores`,
    ['', 'asked', 'measured'],
    rows,
  );
}

/** Milliseconds from the press to the first sound. */
function onsetAfter({ data, startTime }: { data: Buffer; startTime: number }, pressedAt: number): number {
  for (let i = 0; i < data.length >> 2; i++) {
    const at = startTime + (i * 1000) / RATE;
    if (at > pressedAt && Math.abs(data.readInt16LE(i * 4)) > 1000) return at - pressedAt;
  }
  return NaN;
}

/** The longest time after a stall in which an impulse still came too late. */
async function stall(rig: Parameters<typeof playPage>[0]): Promise<string[]> {
  const { source, due } = pacedSource(0);
  let over = 0;
  const { recorded } = await playPage(rig, source, async (network) => {
    await delay(2 * SETTLE_MS);
    network.stall(STALL_MS);
    over = systemClock.now() + systemClock.epochOffset() + STALL_MS;
    await delay(STALL_MS + SETTLE_MS);
  });
  const all = delays(due, marksIn(recorded));
  const before = median(all.filter(({ at }) => at < over - STALL_MS && at > over - STALL_MS - SETTLE_MS));
  const late = all.filter(({ at, ms }) => at > over && ms > before + BACK_WITHIN_MS);
  const back = Math.max(0, ...late.map(({ at }) => at - over));
  return [
    `after a stall of ${STALL_MS} ms back to the ${before.toFixed(0)} ms of before within`,
    '≤ 1000 ms',
    `${back.toFixed(0)} ms (an impulse each ${MARK_MS} ms)`,
  ];
}

void main();
