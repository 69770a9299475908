/** Impulses through one sink, heard at once by our server and client in a real Node-RED and by a bare `parec`. */
import { setTimeout as delay } from 'node:timers/promises';
import { startPulse } from '../../test/support/pulse-daemon';
import { BareCapture, type BareImpulse } from './bare-capture';
import { startLatencyFlow, type FlowReport, type HeardImpulse } from './latency-flow';
import { impulseTrain } from './impulses';

/** The longest pieces that our own capture asks for. */
const FRAGMENT_MS = 10;
const TRAIN_SECONDS = 60;
const SETTLE_MS = 5000;
/** Frames under way at a window's end arrive within this time. */
const REST_MS = 1000;
/** An impulse heard is the one that went through the sink at most this long before. */
const MATCH_MS = 100;

/** The same impulse, ms after it went through the sink. */
export interface Pair {
  readonly ours: number;
  readonly anchored: number;
  readonly naive: number;
  /** How far `msg.audio.time` lies behind the sink's time. */
  readonly timeError: number;
}

export interface Window {
  readonly pairs: readonly Pair[];
  /** Impulses that the bare capture found and the flow did not. */
  readonly lost: number;
  readonly report: FlowReport;
}

export interface LatencyOptions {
  /** Length of a window. */
  readonly seconds: number;
  /** Of each frame; 20. Shorter ones are measured on a sink that never rewinds. */
  readonly frameMs?: number;
}

/** Measures one window after the other until `onWindow` returns false. */
export async function measureLatency(
  { seconds, frameMs = 20 }: LatencyOptions,
  onWindow: (window: Window, index: number) => boolean,
): Promise<void> {
  const pulse = await startPulse({ norewinds: frameMs < 20 });
  const fragmentMs = Math.min(FRAGMENT_MS, frameMs);
  const bare = new BareCapture(pulse.env, { device: 'vspk.monitor', fragmentMs, frameMs });
  const flow = await startLatencyFlow(`unix:${pulse.socket}`, pulse.env, frameMs);
  const train = impulseTrain(TRAIN_SECONDS, Math.random);
  let playing = true;
  const player = (async (): Promise<void> => {
    while (playing) await pulse.play(train, { latencyMs: 100 }).done;
  })();
  while (flow.impulses.length === 0) await delay(100);
  await delay(SETTLE_MS);
  for (let index = 0, more = true; more; index++) {
    bare.impulses.length = 0;
    flow.impulses.length = 0;
    await delay(seconds * 1000);
    const went = [...bare.impulses];
    await delay(REST_MS);
    const pairs = went.flatMap((impulse) => pairOf(impulse, flow.impulses));
    more = onWindow({ pairs, lost: went.length - pairs.length, report: await flow.report() }, index);
  }
  playing = false;
  await flow.stop();
  await bare.stop();
  await pulse.stop();
  await player;
}

function pairOf({ sinkMs, anchoredMs, naiveMs }: BareImpulse, heard: readonly HeardImpulse[]): Pair[] {
  const found = heard.find(({ capturedMs }) => Math.abs(capturedMs - sinkMs) < MATCH_MS);
  if (!found) return [];
  const after = (time: number): number => time - sinkMs;
  return [
    {
      ours: after(found.heardMs),
      anchored: after(anchoredMs),
      naive: after(naiveMs),
      timeError: after(found.capturedMs),
    },
  ];
}
