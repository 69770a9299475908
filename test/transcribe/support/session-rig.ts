/** A session with a streaming service, on a clock that a test moves, and all that it says. */
import assert from 'node:assert/strict';
import type { OrgoError } from '../../../src/audio/errors';
import { msOfSamples, samplesInMs, type PcmFormat } from '../../../src/audio/format';
import type { PcmFrame } from '../../../src/audio/frame';
import type { Emission } from '../../../src/audio/transform';
import type { StreamService } from '../../../src/transcribe/service';
import { serviceOptions, type EnteredService } from '../../../src/transcribe/services';
import type { SessionSink } from '../../../src/transcribe/session';
import { StreamSession } from '../../../src/transcribe/stream-session';
import type { Transcript } from '../../../src/transcribe/words';
import { FakeClock } from '../../nodes/fake-clock';
import type { SpokenWord } from './coded-words';
import type { WebSocketStandIn } from './web-socket-stand-in';

/** Words that a session gave. */
export interface Told {
  readonly text: string;
  readonly transcript: Transcript;
  readonly frame: Emission['frame'];
}

export interface RigOptions {
  readonly service: StreamService;
  readonly standIn: WebSocketStandIn;
  readonly clock: FakeClock;
  readonly entered?: Partial<EnteredService>;
  readonly maxBufferMs?: number;
  readonly timeoutMs?: number;
}

export const NOTHING_ENTERED: EnteredService = {
  ...{ url: '', apiKey: '', model: '', language: '', prompt: '', interim: true, commit: 'service' },
};

export class SessionRig implements SessionSink {
  readonly words: Told[] = [];
  readonly interim: Told[] = [];
  readonly events: { readonly event: string; readonly [name: string]: unknown }[] = [];
  readonly errors: OrgoError[] = [];
  readonly session: StreamSession;
  readonly clock: FakeClock;
  /** Samples that were pushed, gaps included. */
  position = 0;
  /** Epoch ms of the first sample. */
  readonly startTime: number;
  private checks: (() => void)[] = [];

  constructor({ service, standIn, clock, entered, maxBufferMs = 30_000, timeoutMs = 30_000 }: RigOptions) {
    this.clock = clock;
    this.startTime = clock.now() + clock.epochOffset();
    standIn.on('event', () => this.check());
    this.session = new StreamSession(
      service,
      {
        options: serviceOptions(service, { ...NOTHING_ENTERED, url: standIn.url, ...entered }),
        ...{ maxBufferMs, timeoutMs, stream: 'a', clock, random: () => 0.5 },
      },
      this,
    );
  }

  emit({ output, text = '', frame, event, properties }: Emission): void {
    if (output === 'event') this.events.push(event as { event: string });
    else {
      const { transcript } = properties as { transcript: Transcript };
      (output === 'words' ? this.words : this.interim).push({ text, transcript, frame });
    }
    this.check();
  }

  report(error: OrgoError): void {
    this.errors.push(error);
    this.check();
  }

  changed(): void {
    this.check();
  }

  /** Pushes sound in frames of 20 ms, the clock going on with each. */
  hear(data: Buffer, format: PcmFormat): void {
    const samples = samplesInMs(format.sampleRate, 20);
    const bytes = samples * 2;
    for (let at = 0; at < data.length; at += bytes) {
      this.clock.advance(20);
      this.push(data.subarray(at, at + bytes), format);
    }
  }

  /** Pushes sound at once, `gap` samples after what came before. */
  push(data: Buffer, format: PcmFormat, gap = 0): void {
    const samples = data.length / 2;
    this.position += gap;
    const time = this.startTime + msOfSamples(format.sampleRate, this.position);
    const frame: PcmFrame = { format, data, samples, position: this.position, time, gap, latencyMs: 0 };
    this.position += samples;
    this.session.push(frame, undefined);
  }

  /** Resolves once `holds`: asked again whenever the session or its service did something. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        this.checks = this.checks.filter((other) => other !== check);
        resolve();
      };
      this.checks.push(check);
      check();
    });
  }

  /** Fails unless exactly these words left, in order, each at its time within `toleranceMs`. */
  assertWords(said: readonly SpokenWord[], toleranceMs = 5): void {
    const told = this.words.flatMap(({ transcript }) => transcript.words ?? []);
    assert.deepEqual(
      told.map(({ text }) => text),
      said.map(({ text }) => text),
    );
    for (const [i, { text, startTime, endTime }] of told.entries()) {
      const off = [
        startTime - this.startTime - (said[i]?.startMs ?? 0),
        endTime - this.startTime - (said[i]?.endMs ?? 0),
      ];
      for (const ms of off)
        assert.ok(Math.abs(ms) <= toleranceMs, `${text} is off by ${off.join(' and ')} ms`);
    }
  }

  private check(): void {
    for (const check of [...this.checks]) check();
  }
}
