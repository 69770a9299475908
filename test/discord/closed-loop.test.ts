/** The whole way of PCM to the packets that leave, on a simulated clock: what a listener's decoder makes of them is judged. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readPacket, writePacket } from '../../src/discord/relay-messages';
import { FRAME_SAMPLES } from '../../src/discord/sound-packet';
import { SpeakingOrder } from '../../src/discord/speaking-order';
import { VoiceStream } from '../../src/discord/voice-stream';
import { chooseLibrary } from '../../src/opus/choose-library';
import { OpusCodec } from '../../src/opus/codec';
import { channelOf, measureTone, phaseStep } from '../support/tone';
import { numberOf, Simulation } from './support/simulation';

/** 8.8 turns in a packet: a packet lost or said twice turns the phase by 72°. */
const HZ = 440;
const AMPLITUDE = 0.25;
const RATE = 24_000;
const HEARD_RATE = 48_000;
const FRAME_MS = 20;
/** A jump of the phase shows in a stretch of this length, and a change of pitch by 0.1 % turns it by 16° only. */
const STRETCH = HEARD_RATE / 10;

interface Heard {
  readonly simulation: Simulation;
  /** What a listener hears, each packet put where its RTP time says; silence where nothing came. */
  readonly sound: Float64Array;
  /** Of the queue, once a second, ms. */
  readonly waits: readonly (number | undefined)[];
  /** How far off the source's clock is, as the pacer measured it last. */
  readonly measuredPpm: number | undefined;
}

interface Source {
  readonly seconds: number;
  /** How much faster its clock runs than ours. */
  readonly ppm?: number;
  /** How much later than it should each frame comes, ms. */
  readonly jitterMs?: (frame: number) => number;
}

/** A live tone from a source with a clock of its own, through encoder, relay messages and pacer to a decoder. */
function speak({ seconds, ppm = 0, jitterMs = () => 0 }: Source): Heard {
  const simulation = new Simulation();
  const order = new SpeakingOrder();
  const stream: VoiceStream = new VoiceStream(
    { bitrate: 96_000, live: true },
    {
      refusesRecordings: false,
      speak(packets, from) {
        const spoken = order.admit(packets, from, simulation.now);
        if (spoken === 'spoken')
          for (const packet of packets) simulation.push(readPacket(writePacket(packet)));
        return spoken;
      },
      ended: (ending) => order.end(ending) && simulation.pacer.end(),
    },
  );
  const samples = (RATE * FRAME_MS) / 1000;
  const waits: (number | undefined)[] = [];
  const start = simulation.now;
  for (let frame = 0; frame < (seconds * 1000) / FRAME_MS; frame++) {
    simulation.runUntil(
      Math.max(simulation.now, start + (frame * FRAME_MS) / (1 + ppm / 1e6) + jitterMs(frame)),
    );
    if (frame % 50 === 49) {
      order.onReport(simulation.pacer.stats);
      waits.push(simulation.pacer.stats.waitMs);
    }
    const data = Buffer.alloc(2 * samples);
    for (let i = 0; i < samples; i++) {
      const angle = (2 * Math.PI * HZ * (frame * samples + i)) / RATE;
      data.writeInt16LE(Math.round(32_767 * AMPLITUDE * Math.sin(angle)), 2 * i);
    }
    const format = { encoding: 's16le', sampleRate: RATE, channels: 1 } as const;
    stream.push({ format, data, samples, position: frame * samples, time: 0, gap: 0, latencyMs: 0 });
  }
  const { driftPpm: measuredPpm } = simulation.pacer.stats;
  stream.end();
  simulation.runUntil(simulation.now + 2000);
  return { simulation, sound: hear(simulation), waits, measuredPpm };
}

function hear({ sent }: Simulation): Float64Array {
  const codec = new OpusCodec(chooseLibrary(), HEARD_RATE, 2);
  const first = sent[0]?.rtpTime ?? 0;
  const sound = new Float64Array((sent.at(-1)?.rtpTime ?? 0) - first + FRAME_SAMPLES);
  for (const { opus, rtpTime } of sent) sound.set(channelOf(codec.decode(opus), 2), rtpTime - first);
  codec.close();
  return sound;
}

/** The tone in stretches of 100 ms from `from` on: its lowest and highest amplitude, and where the phase led. */
function judge(sound: Float64Array, from: number, to: number) {
  const tone = { hz: HZ, sampleRate: HEARD_RATE };
  const amplitudes: number[] = [];
  const steps: number[] = [];
  let before: number | undefined;
  for (let at = from; at + STRETCH <= to; at += STRETCH) {
    const { amplitude, phase } = measureTone(sound, tone, at, at + STRETCH);
    amplitudes.push(amplitude);
    if (before !== undefined) steps.push(phaseStep(before, phase));
    before = phase;
  }
  return { lowest: Math.min(...amplitudes), highest: Math.max(...amplitudes), steps };
}

/** First and last sample of the tone, and its length in seconds. */
function spanOf(sound: Float64Array): { first: number; last: number; seconds: number } {
  const isLoud = (value: number): boolean => Math.abs(value) > AMPLITUDE / 4;
  const first = sound.findIndex(isLoud);
  const last = sound.findLastIndex(isLoud);
  return { first, last, seconds: (last - first) / HEARD_RATE };
}

function assertRtpIsTime({ sent }: Simulation): void {
  const [first] = sent;
  for (const { at, rtpTime } of sent) {
    const off = (rtpTime - (first?.rtpTime ?? 0)) / 48 - (at - (first?.at ?? 0));
    assert.ok(Math.abs(off) <= FRAME_MS, `RTP time is off by ${off} ms at ${at}`);
  }
}

describe('PCM, through encoder and pacer to a decoder', () => {
  test('is heard whole and unbroken, with a packet each 20 ms and five of silence at the end', () => {
    const { simulation, sound } = speak({ seconds: 4 });
    const { dropped, missing, adjusted } = simulation.pacer.stats;
    assert.deepEqual([dropped, missing, adjusted], [0, 0, 0]);
    const { first, last, seconds } = spanOf(sound);
    assert.ok(Math.abs(seconds - 4) < 0.01, `${seconds} s of 4`);
    const { lowest, highest, steps } = judge(sound, first + STRETCH, last - STRETCH);
    assert.ok(lowest > 0.98 * AMPLITUDE && highest < 1.02 * AMPLITUDE, `${lowest} … ${highest}`);
    assert.ok(
      Math.max(...steps.map(Math.abs)) < 0.02,
      `the phase steps by ${Math.max(...steps.map(Math.abs))}`,
    );
    const { sent } = simulation;
    const gaps = sent.slice(1).map(({ rtpTime }, i) => rtpTime - (sent[i]?.rtpTime ?? 0));
    assert.deepEqual(new Set(gaps), new Set([FRAME_SAMPLES]));
    assertRtpIsTime(simulation);
    assert.deepEqual(
      sent
        .map(numberOf)
        .map((each) => each === 'silence')
        .lastIndexOf(false),
      sent.length - 6,
    );
    assert.deepEqual(simulation.speaking, [true, false]);
  });

  for (const [ppm, seconds] of [
    [1000, 24],
    [-1000, 16],
  ] as const) {
    test(`of a clock that is ${ppm} ppm off, and jitters, is kept in step without a break`, () => {
      const jitterMs = (frame: number): number => 8 * Math.abs(Math.sin(frame * 12.9898));
      const { simulation, sound, waits, measuredPpm } = speak({ seconds, ppm, jitterMs });
      const { dropped, missing, adjusted } = simulation.pacer.stats;
      assert.deepEqual([dropped, missing, adjusted], [0, 0, 0]);
      assertRtpIsTime(simulation);
      const { first, last, seconds: heardSeconds } = spanOf(sound);
      // As long as our clock says that the source spoke.
      assert.ok(Math.abs(heardSeconds - seconds / (1 + ppm / 1e6)) < 0.025, `${heardSeconds} s`);
      const { lowest, highest, steps } = judge(sound, first + STRETCH, last - STRETCH);
      assert.ok(lowest > 0.96 * AMPLITUDE && highest < 1.02 * AMPLITUDE, `${lowest} … ${highest}`);
      const most = Math.max(...steps.map(Math.abs));
      assert.ok(most < 0.9, `a jump by ${most} rad; a packet lost or said twice makes 1.26`);
      assert.ok(Math.abs((measuredPpm ?? 0) - ppm) < 30, `${measuredPpm} ppm measured`);
      // Once the drift is known, the pitch is the source's by our clock, but for what the queue still works off.
      const late = steps.slice(-10);
      const turned = late.reduce((sum, step) => sum + step, 0) / late.length;
      const heardPpm = (1e6 * turned) / (2 * Math.PI * HZ * (STRETCH / HEARD_RATE));
      assert.ok(Math.abs(heardPpm - ppm) < 500, `${heardPpm} ppm heard`);
      const lastWait = waits.at(-1) ?? 0;
      assert.ok(lastWait >= 20 && lastWait <= 60, `sound waits ${lastWait} ms`);
    });
  }
});
