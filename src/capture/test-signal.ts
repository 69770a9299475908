/** The built-in source: a spoken sentence, a tone, silence, in a loop. Needs nothing installed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../audio/clock';
import { samplesInMs, type PcmFormat } from '../audio/format';
import { S16_FULL_SCALE } from '../audio/samples';
import type { Source, SourceSink } from './source';
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
/** When we are called this late, what was due meanwhile counts as missed. */
const MAX_LATE_MS = 100;
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

/** Plays the loop in real time, a frame each 20 ms of the passed clock. */
export class TestSignal implements Source {
  private readonly loop = testSignalLoop();
  private readonly frameSamples = samplesInMs(TEST_SIGNAL_FORMAT.sampleRate, FRAME_MS);
  private cancel: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  start(sink: SourceSink): void {
    this.stop();
    const startedAt = this.clock.now();
    let sent = 0;
    let missed = 0;
    let running = true;
    const step = (): void => {
      const due = Math.floor((this.clock.now() - startedAt) / FRAME_MS);
      if (due - sent > MAX_LATE_MS / FRAME_MS) {
        missed = due - sent - 1;
        sent += missed;
      }
      // Who hears a frame may stop us.
      while (running && sent < due) {
        this.emit(sink, sent++, startedAt, missed);
        missed = 0;
      }
      if (running) cancelTimer = this.clock.after(startedAt + (sent + 1) * FRAME_MS - this.clock.now(), step);
    };
    let cancelTimer = this.clock.after(FRAME_MS, step);
    this.cancel = () => {
      running = false;
      cancelTimer();
    };
    sink.onState({ kind: 'running', device: 'test', muted: false });
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private emit(sink: SourceSink, index: number, startedAt: number, missed: number): void {
    const bytes = this.frameSamples * BYTES_PER_SAMPLE;
    const offset = (index * bytes) % this.loop.length;
    sink.onFrame({
      format: TEST_SIGNAL_FORMAT,
      data: this.loop.subarray(offset, offset + bytes),
      samples: this.frameSamples,
      position: index * this.frameSamples,
      time: startedAt + index * FRAME_MS + this.clock.epochOffset(),
      gap: missed * this.frameSamples,
      latencyMs: 0,
    });
  }
}

export const TEST_SOURCE = sourceEntry({
  type: 'test',
  settings: {},
  create: (_values, clock) => new TestSignal(clock),
});
