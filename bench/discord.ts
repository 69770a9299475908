/** A Discord voice: latency from message to wire, stalls, drift for a day, and what the relay costs. */
import { setTimeout as delay } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { Simulation, sound } from '../test/discord/support/simulation';
import { needs } from '../test/support/needs';
import { BOT, StandIn } from '../test/discord/support/stand-in';
import { VoiceRig } from '../test/discord/support/voice-rig';
import { argument, printTable, quantile } from './lib/table';

const HOURS = argument('hours', 24);
const SECONDS = argument('seconds', 20);
const FRAME_MS = 20;
/** CELT, full band, 20 ms, stereo, one frame. */
const TOC_20_MS = 0xfc;

/** The pacer alone, on a simulated clock. */
function simulate(name: string, minutes: number, ppm: number, pauseEvery: number): string[] {
  const simulation = new Simulation();
  const origin = simulation.now;
  let [deepest, rtpError] = [0, 0];
  for (let i = 0; i < minutes * 3000; i++) {
    simulation.push(sound(i, { silent: pauseEvery > 0 && i % pauseEvery < 10 }));
    simulation.runUntil(origin + ((i + 1) * FRAME_MS) / (1 + ppm / 1e6));
    deepest = Math.max(deepest, simulation.pacer.stats.queueMs);
    const [first, last] = [simulation.sent[0], simulation.sent.at(-1)];
    if (first && last)
      rtpError = Math.max(rtpError, Math.abs((last.rtpTime - first.rtpTime) / 48 - (last.at - first.at)));
    if (simulation.sent.length > 1000) simulation.sent.splice(1, 900);
  }
  const { dropped, missing, adjusted, queueMs, driftPpm } = simulation.pacer.stats;
  const figures = [
    deepest,
    queueMs,
    rtpError.toFixed(1),
    dropped,
    missing,
    adjusted,
    driftPpm?.toFixed(1) ?? '–',
  ];
  return [name, ...figures.map(String)];
}

/** Opus packets every 20 ms through the relay to the stand-in's socket. */
async function throughTheRelay(): Promise<void> {
  const discord = await StandIn.start({ daveVersion: 0 });
  const rig = new VoiceRig(discord);
  rig.voice.join();
  await rig.state('ready');
  const stream = rig.voice.openStream('live');
  const format = { encoding: 'opus', sampleRate: 48000, channels: 2 } as const;
  const given: number[] = [];
  const pid = rig.voice.relayPid ?? 0;
  const cpuBefore = await cpuMs(pid);
  const start = performance.now();
  for (let n = 0; n < SECONDS * 50; n++) {
    await delay(Math.max(0, start + n * FRAME_MS - performance.now()));
    const opus = Buffer.alloc(160, 1);
    opus[0] = TOC_20_MS;
    opus.writeUInt32BE(n, 1);
    given[n] = performance.now();
    stream.push({ format, data: opus, samples: 960, position: n * 960, time: 0, gap: 0, latencyMs: 0 });
  }
  const cpu = (await cpuMs(pid)) - cpuBefore;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  const waits = discord.voice.receivedFrom(BOT).flatMap(({ at, payload }) => {
    const from = payload.length > 3 ? given[payload.readUInt32BE(1)] : undefined;
    return from === undefined ? [] : [at - from];
  });
  printTable(
    'Opus from a flow through the relay',
    ['packets', 'p50 ms', 'p99 ms', 'dropped', 'relay RSS MB', 'relay % of a core'],
    [
      [
        String(waits.length),
        quantile(waits, 0.5).toFixed(1),
        quantile(waits, 0.99).toFixed(1),
        String(rig.voice.stats?.dropped ?? 0),
        rssMb.toFixed(0),
        ((100 * cpu) / (SECONDS * 1000)).toFixed(1),
      ],
    ],
  );
  await rig.voice.close();
  await discord.stop();
}

async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function main(): Promise<void> {
  printTable(
    'The pacer on a simulated clock',
    [
      'simulated',
      'deepest ms',
      'at the end ms',
      'RTP off ms',
      'dropped',
      'missing',
      'adjusted',
      'ppm measured',
    ],
    [
      simulate('1 % fast, 10 min, no pause', 10, 10_000, 0),
      simulate('1 % slow, 10 min, no pause', 10, -10_000, 0),
      simulate(`50 ppm fast, ${HOURS} h, a pause every 30 s`, HOURS * 60, 50, 1500),
      simulate(`50 ppm slow, ${HOURS} h, a pause every 30 s`, HOURS * 60, -50, 1500),
    ],
  );
  const { skip } = needs('node24-discord');
  if (skip !== false) console.log(`${skip}: run node scripts/setup-runtimes.mjs node24-discord`);
  else await throughTheRelay();
}

void main();
