/** The built-in source: a spoken sentence, a tone, silence, in a loop. Needs nothing installed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../audio/clock';
import { samplesInMs, type PcmFormat } from '../audio/format';
import { S16_FULL_SCALE } from '../audio/samples';
import { PacedSource } from './paced-source';
import { sourceEntry } from './source-entry';

export const TEST_SIGNAL_FORMAT: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };
export const TEST_TONE_HZ = 440;
const TONE_AMPLITUDE = 0.25;
const TONE_MS = 1000;
/** The tone fades in and out over this long, so that it does not click. */
const FADE_MS = 10;
const PAUSE_MS = 300;
const SILENCE_MS = 900;
const FRAME_MS = 20;
const BYTES_PER_SAMPLE = 2;

/** One turn of the loop: s16le at {@link TEST_SIGNAL_FORMAT}; a whole number of 20 ms frames. */
export function testSignalLoop(): Buffer {
  const rate = TEST_SIGNAL_FORMAT.sampleRate;
  const speech = readFileSync(join(__dirname, 'test-signal', 'speech.raw'));
  const pause = Buffer.alloc(samplesInMs(rate, PAUSE_MS) * BYTES_PER_SAMPLE);
  const end = Buffer.alloc(samplesInMs(rate, SILENCE_MS) * BYTES_PER_SAMPLE);
  const frameBytes = samplesInMs(rate, FRAME_MS) * BYTES_PER_SAMPLE;
  const used = speech.length + pause.length + tone(rate).length + end.length;
  const padding = Buffer.alloc((frameBytes - (used % frameBytes)) % frameBytes);
  return Buffer.concat([speech, pause, tone(rate), end, padding]);
}

function tone(rate: number): Buffer {
  const samples = samplesInMs(rate, TONE_MS);
  const fade = samplesInMs(rate, FADE_MS);
  const out = Buffer.alloc(samples * BYTES_PER_SAMPLE);
  for (let i = 0; i < samples; i++) {
    const gain = TONE_AMPLITUDE * Math.min(1, i / fade, (samples - i) / fade);
    const value = gain * Math.sin((2 * Math.PI * TEST_TONE_HZ * i) / rate);
    out.writeInt16LE(Math.round(value * (S16_FULL_SCALE - 1)), i * BYTES_PER_SAMPLE);
  }
  return out;
}

/** Plays the loop in real time. */
export class TestSignal extends PacedSource {
  constructor(clock: Clock) {
    const loop = testSignalLoop();
    super({
      clock,
      format: TEST_SIGNAL_FORMAT,
      device: 'test',
      read(position, samples) {
        const offset = (position * BYTES_PER_SAMPLE) % loop.length;
        return loop.subarray(offset, offset + samples * BYTES_PER_SAMPLE);
      },
    });
  }
}

export const TEST_SOURCE = sourceEntry({
  type: 'test',
  title: 'Test signal: speech, a tone, silence',
  settings: {},
  create: (_values, clock) => new TestSignal(clock),
});
