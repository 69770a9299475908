/** What was said while the service was away, or had not answered, comes all the same: once, in order, at its time. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import type { PcmFormat } from '../../src/audio/format';
import { DEEPGRAM } from '../../src/transcribe/services/deepgram';
import { FakeClock } from '../nodes/fake-clock';
import { it } from '../support/hang-guard';
import { speech, wordsInARow, type SpokenWord } from './support/coded-words';
import { DEEPGRAM_KEY, startDeepgram } from './support/deepgram-stand-in';
import { SessionRig, type RigOptions } from './support/session-rig';
import type { WebSocketStandIn } from './support/web-socket-stand-in';

const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24_000, channels: 1 };

/** Sentences of three words, a second of silence after each. */
function sentences(count: number): { words: SpokenWord[]; lastsMs: number } {
  const words = Array.from({ length: count }, (_, i) =>
    wordsInARow(30)
      .slice((i * 3) % 27, ((i * 3) % 27) + 3)
      .map((word, k) => ({ ...word, startMs: i * 2000 + k * 300, endMs: i * 2000 + k * 300 + 200 })),
  ).flat();
  return { words, lastsMs: count * 2000 };
}

describe('an outage', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startDeepgram(clock);
  });
  afterEach(() => standIn.stop());

  const listen = (more: Partial<RigOptions> = {}): SessionRig =>
    new SessionRig({ service: DEEPGRAM, standIn, clock, entered: { apiKey: DEEPGRAM_KEY }, ...more });

  const bytesOf = (ms: number): number => (MONO_24K.sampleRate / 1000) * ms * 2;

  /** Moves the clock on in steps until the session is connected again. */
  async function reconnected(rig: SessionRig): Promise<void> {
    while (rig.session.state.kind !== 'connected') {
      const { state } = rig.session;
      if (state.kind === 'waiting') clock.advance(state.retryInMs);
      await rig.until(() => rig.session.state !== state);
    }
  }

  it('of 20 s loses no word, doubles none, and moves none in time', async () => {
    const rig = listen();
    const { words, lastsMs } = sentences(16);
    const sound = speech(MONO_24K.sampleRate, words, lastsMs);
    // It falls in the middle of a sentence, whose first words it has not answered.
    rig.hear(sound.subarray(0, bytesOf(4550)), MONO_24K);
    await rig.until(() => rig.words.length === 2 && rig.interim.at(-1)?.text === 'six');
    await standIn.vanish();
    await rig.until(() => rig.session.state.kind === 'waiting');
    for (let ms = 4550; ms < 24_550; ms += 500) {
      rig.hear(sound.subarray(bytesOf(ms), bytesOf(ms + 500)), MONO_24K);
      const { state } = rig.session;
      if (state.kind === 'connecting') await rig.until(() => rig.session.state !== state);
    }
    await standIn.comeBack();
    await reconnected(rig);
    rig.hear(sound.subarray(bytesOf(24_550)), MONO_24K);
    await rig.session.end(30_000);
    rig.assertWords(words);
    assert.deepEqual(standIn.violations, []);
    assert.equal(rig.errors.length, 1, String(rig.errors));
    assert.equal(rig.events.filter(({ event }) => event === 'dropped').length, 0);
  });

  it('longer than the sound that is kept drops the oldest, tells how much, and keeps the times right', async () => {
    const rig = listen({ maxBufferMs: 5000 });
    const { words, lastsMs } = sentences(10);
    const sound = speech(MONO_24K.sampleRate, words, lastsMs);
    rig.hear(sound.subarray(0, bytesOf(2000)), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    await standIn.vanish();
    await rig.until(() => rig.session.state.kind === 'waiting');
    rig.hear(sound.subarray(bytesOf(2000), bytesOf(16_000)), MONO_24K);
    await standIn.comeBack();
    await reconnected(rig);
    rig.hear(sound.subarray(bytesOf(16_000)), MONO_24K);
    await rig.session.end(30_000);
    const droppedMs = rig.events
      .filter(({ event }) => event === 'dropped')
      .reduce((sum, { durationMs }) => sum + Number(durationMs), 0);
    // Words until 0.8 s had come; of the rest, until 16 s, the last 5 s were kept.
    assert.ok(Math.abs(droppedMs - 10_200) < 100, `${droppedMs} ms`);
    rig.assertWords(words.filter(({ startMs }) => startMs < 2000 || startMs > 11_000));
  });

  it('keeps times right through gaps in the sound', async () => {
    const rig = listen();
    const said = wordsInARow(2, 100);
    rig.hear(speech(MONO_24K.sampleRate, said, 1400), MONO_24K);
    clock.advance(5000);
    rig.push(speech(MONO_24K.sampleRate, said, 1400), MONO_24K, 5 * 24_000);
    await rig.session.end(30_000);
    const later = said.map(({ text, startMs, endMs }) => ({
      text,
      startMs: startMs + 6400,
      endMs: endMs + 6400,
    }));
    rig.assertWords([...said, ...later]);
  });

  it('of a service that closes every few seconds is told once', async () => {
    const rig = listen();
    const { words, lastsMs } = sentences(8);
    const sound = speech(MONO_24K.sampleRate, words, lastsMs);
    for (let i = 0; i < 4; i++) {
      rig.hear(sound.subarray(bytesOf(i * 4000), bytesOf((i + 1) * 4000)), MONO_24K);
      await reconnected(rig);
      await rig.until(() => rig.words.length >= 2 * (i + 1));
      standIn.caller?.socket.close(1011, 'restart');
      await rig.until(() => rig.session.state.kind === 'waiting');
    }
    await reconnected(rig);
    await rig.session.end(30_000);
    rig.assertWords(words);
    assert.equal(rig.errors.length, 1);
    assert.match(rig.errors[0]?.message ?? '', /failed: “restart \(code 1011\)”/);
  });

  it('of a day of connects and silences leaves nothing behind', async () => {
    const rig = listen();
    const second = speech(MONO_24K.sampleRate, wordsInARow(1, 100), 1000);
    const timers: number[] = [];
    for (let i = 0; i < 40; i++) {
      rig.push(second, MONO_24K, 36 * 60 * MONO_24K.sampleRate);
      await rig.session.finish();
      standIn.caller?.socket.close(1011, 'NET-0001');
      await rig.until(() => rig.session.state.kind !== 'connected');
      clock.advance(36 * 60_000);
      if (rig.session.state.kind !== 'idle')
        await rig.until(() => rig.session.state.kind === 'connected' || rig.session.state.kind === 'idle');
      timers.push(clock.pending);
    }
    assert.equal(rig.words.length, 40);
    assert.ok(Math.max(...timers.slice(20)) <= Math.max(...timers.slice(0, 20)), timers.join());
    rig.session.close();
    assert.equal(clock.pending, 0);
  });
});
