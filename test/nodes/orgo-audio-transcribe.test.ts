import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import { wavHeader } from '../../src/containers/wav-header';
import { it } from '../support/hang-guard';
import { speech, wordsInARow } from '../transcribe/support/coded-words';
import { DEEPGRAM_KEY, startDeepgram } from '../transcribe/support/deepgram-stand-in';
import { OPENAI_KEY, OpenAiStandIn } from '../transcribe/support/openai-stand-in';
import type { WebSocketStandIn } from '../transcribe/support/web-socket-stand-in';
import { FakeClock } from './fake-clock';
import type { FakeNode } from './fake-red';
import { RATE, sound, speak, START_TIME, transcribeNode, transcriptOf } from './support/transcribe-node';

const WORDS = 0;
const INTERIM = 1;
const EVENTS = 2;

/** Closes a node whose last words don't come: it waits for them for 5 s. */
async function closeNow(node: FakeNode, clock: FakeClock): Promise<void> {
  const closed = node.close();
  clock.advance(5000);
  await closed;
}

describe('orgo-audio-transcribe with whole utterances', () => {
  let standIn: OpenAiStandIn;
  beforeEach(async () => {
    standIn = await OpenAiStandIn.start({ answers: false });
  });
  afterEach(() => standIn.stop());

  const create = (settings: Record<string, unknown> = {}, key = OPENAI_KEY) =>
    transcribeNode({ service: 'openai', url: standIn.url, ...settings }, key);

  it('sends the words of an utterance, with its place, its times and its speech', async () => {
    const { node, clock } = create();
    const said = wordsInARow(2, 300);
    const detected = { id: 'a:7200', startPosition: 7200 + RATE, endPosition: 19_200 + RATE };
    clock.epoch = START_TIME;
    const msg = sound(speech(RATE, said, 1200), 1000, { speech: detected, mark: 7 });
    assert.equal(await node.receive(msg), undefined);
    await standIn.until(1);
    clock.advance(2000);
    standIn.asked[0]?.answer();
    const { payload, topic, audio, mark, speech: came, ...rest } = await node.until(WORDS, () => true);
    assert.deepEqual([payload, topic, mark, came], ['zero one', 'a', 7, detected]);
    const { position, samples, time, stream, sampleRate } = audio as Record<string, unknown>;
    assert.deepEqual(
      [position, samples, time, stream, sampleRate],
      [RATE, 1.2 * RATE, START_TIME + 1000, 'a', RATE],
    );
    const transcript = transcriptOf(rest);
    assert.deepEqual(
      [transcript.final, transcript.language, transcript.service],
      [true, 'english', 'openai'],
    );
    for (const [i, { startTime, endTime }] of (transcript.words ?? []).entries()) {
      assert.ok(Math.abs(startTime - START_TIME - 1000 - said[i]!.startMs) < 2, `${startTime}`);
      assert.ok(Math.abs(endTime - START_TIME - 1000 - said[i]!.endMs) < 2, `${endTime}`);
    }
    await node.close();
  });

  it('takes WAV files, and PCM until complete', async () => {
    const { node } = create();
    const file = speech(RATE, wordsInARow(1, 100), 500);
    const format = { encoding: 's16le', sampleRate: RATE, channels: 1 } as const;
    await node.receive({ payload: Buffer.concat([wavHeader(format, file.length / 2), file]), topic: 'f' });
    await standIn.until(1);
    standIn.asked[0]?.answer();
    assert.equal((await node.until(WORDS, () => true)).payload, 'zero');
    const half = file.length / 2;
    await node.receive(sound(file.subarray(0, half), 0));
    const done = node.receive(sound(file.subarray(half), 250, { complete: true }));
    await standIn.until(2);
    assert.deepEqual(
      standIn.asked[1]?.words.map(({ text }) => text),
      ['zero'],
    );
    standIn.asked[1].answer();
    assert.equal(await done, undefined);
    const last = node.output(WORDS).at(-1);
    assert.deepEqual([last?.payload, last?.['complete']], ['', true]);
    assert.equal((last?.audio as { reason?: string }).reason, 'stopped');
    assert.equal(node.output(WORDS).length, 3);
    await node.close();
  });

  it('gives results in the order spoken, with two requests at once at most', async () => {
    const { node } = create();
    for (let i = 0; i < 4; i++) {
      const word = [{ text: ['one', 'two', 'three', 'four'][i]!, startMs: 100, endMs: 300 }];
      await node.receive(sound(speech(RATE, word, 400), i * 1000, { speech: { id: i } }));
    }
    await standIn.until(2);
    standIn.asked[1]?.answer();
    await standIn.until(3);
    standIn.asked[2]?.answer();
    await standIn.until(4);
    assert.equal(node.output(WORDS).length, 0);
    standIn.asked[0]?.answer();
    standIn.asked[3]?.answer();
    await node.until(WORDS, ({ payload }) => payload === 'four');
    assert.deepEqual(
      node.output(WORDS).map(({ payload, speech: came }) => [payload, (came as { id: number }).id]),
      [
        ['one', 0],
        ['two', 1],
        ['three', 2],
        ['four', 3],
      ],
    );
    assert.equal(standIn.mostAtOnce, 2);
    await node.close();
  });

  it('tries an utterance three times, as late as the service asks, then gives it up with one error', async () => {
    const { node, clock } = create({ maxParallel: 1 });
    await node.receive(sound(speech(RATE, wordsInARow(1), 400), 0, { speech: {} }));
    await node.receive(sound(speech(RATE, wordsInARow(2), 700), 1000, { speech: {} }));
    await standIn.until(1);
    const waiting = node.until(
      EVENTS,
      ({ payload }) => (payload as { event: string }).event === 'reconnecting',
    );
    standIn.asked[0]?.reply(429, { error: { message: 'Slow down' } }, { 'retry-after': '7' });
    assert.equal(((await waiting).payload as { retryInMs: number }).retryInMs, 7000);
    clock.advance(6999);
    assert.equal(standIn.asked.length, 1);
    clock.advance(1);
    await standIn.until(2);
    standIn.asked[1]?.reply(500, {});
    const tick = setInterval(() => clock.advance(100), 1);
    await standIn.until(3);
    clearInterval(tick);
    assert.deepEqual(node.errors, []);
    standIn.asked[2]?.reply(503, { error: { message: 'Overloaded' } });
    await standIn.until(4);
    assert.equal(node.errors.length, 1);
    assert.match(node.errors.join(), /HTTP 503 Overloaded/);
    standIn.asked[3]?.answer();
    assert.equal((await node.until(WORDS, () => true)).payload, 'zero one');
    await node.close();
  });

  it('tells a wrong key once, in red, and not the key; connect tries at once', async () => {
    const { node, clock } = create({}, 'sesame');
    const failed = new Promise((resolve) => node.once('failed', resolve));
    await node.receive(sound(speech(RATE, wordsInARow(1), 400), 0, { speech: {} }));
    await failed;
    clock.advance(250);
    assert.deepEqual([node.lastStatus?.fill, node.lastStatus?.text], ['red', 'bad-key']);
    await node.receive({ action: 'connect' });
    await standIn.until(2);
    assert.equal(
      JSON.stringify([node.sent, node.statuses, node.errors, node.logs]).includes('sesame'),
      false,
    );
    await closeNow(node, clock);
  });

  it('says what is wrong where PCM comes without an end, and keeps no more than it may', async () => {
    const { node, clock } = create({ maxBufferSeconds: 1 });
    for (let i = 0; i < 30; i++) await node.receive(sound(Buffer.alloc(RATE / 5), i * 100));
    assert.equal(node.errors.length, 1);
    assert.match(node.errors[0] ?? '', /came without an end.*output 2/);
    const dropped = node.output(EVENTS).map(({ payload }) => payload as { event: string; samples: number });
    assert.equal(dropped[0]?.event, 'dropped');
    await closeNow(node, clock);
  });
});

describe('orgo-audio-transcribe with a stream', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startDeepgram(clock);
  });
  afterEach(() => standIn.stop());

  const create = (settings: Record<string, unknown> = {}) =>
    transcribeNode({ service: 'deepgram', url: standIn.url, ...settings }, DEEPGRAM_KEY, clock);

  it('sends interim and final words, and marks the end with an empty text', async () => {
    const flow = create();
    const { node } = flow;
    const said = wordsInARow(3, 300);
    await speak(flow, speech(RATE, said, 1400));
    assert.equal(await node.receive({ topic: 'a', audio: { stream: 'a' }, complete: true }), undefined);
    const [words, end] = node.output(WORDS);
    assert.deepEqual([words?.payload, words?.topic], ['zero one two', 'a']);
    const { startTime, endTime, id } = transcriptOf(words);
    assert.ok(Math.abs(startTime - START_TIME - 300) < 5 && Math.abs(endTime - START_TIME - 1100) < 5);
    assert.deepEqual([end?.payload, end?.['complete']], ['', true]);
    assert.ok(node.output(INTERIM).length > 0);
    for (const msg of node.output(INTERIM)) assert.equal(transcriptOf(msg).id, id);
    const events = node
      .output(EVENTS)
      .map(({ payload, audio }) => [payload, audio] as [{ event: string }, { stream: string }]);
    assert.deepEqual(
      events.map(([{ event }, { stream }]) => [event, stream]),
      [
        ['connected', 'a'],
        ['disconnected', 'a'],
      ],
    );
    assert.deepEqual(standIn.violations, []);
    await node.close();
  });

  it('keeps two computers apart', async () => {
    const flow = create();
    const { node } = flow;
    await speak(flow, speech(RATE, wordsInARow(1, 100), 400), 0, 'a');
    await speak(flow, speech(RATE, wordsInARow(2, 100), 700), 0, 'b');
    for (const stream of ['a', 'b']) await node.receive({ audio: { stream }, complete: true });
    const told = node.output(WORDS).filter(({ payload }) => payload !== '');
    assert.deepEqual(
      told.map(({ payload, audio }) => [payload, (audio as { stream: string }).stream]),
      [
        ['zero', 'a'],
        ['zero one', 'b'],
      ],
    );
    assert.equal(standIn.callers.length, 2);
    await node.close();
  });

  it('gives the words of one stream when asked, and has no room for a seventeenth', async () => {
    const flow = create();
    const { node } = flow;
    for (let i = 0; i < 16; i++) await speak(flow, speech(RATE, wordsInARow(1, 100), 400), 0, `s${i}`);
    const error = await node.receive(sound(Buffer.alloc(960), 0, {}, 'one more'));
    assert.match(error?.message ?? '', /16 streams are transcribed already: one more has no room/);
    await node.receive({ action: 'finish', audio: { stream: 's3' } });
    assert.deepEqual(
      node.output(WORDS).map(({ payload, audio }) => [payload, (audio as { stream: string }).stream]),
      [['zero', 's3']],
    );
    await node.close();
  });

  it('ends a turn by the speech-end of a detector', async () => {
    const flow = create({ commit: 'speech' });
    const { node } = flow;
    await speak(flow, speech(RATE, wordsInARow(1, 100), 600));
    const payload = { event: 'speech-end', endPosition: 0.3 * RATE };
    await node.receive({ topic: 'a', payload: { event: 'speech-start' }, audio: { stream: 'a' } });
    await node.receive({ topic: 'a', payload, audio: { stream: 'a', position: 0.3 * RATE } });
    assert.equal((await node.until(WORDS, () => true)).payload, 'zero');
    await node.close();
  });

  it('goes on in another format', async () => {
    const flow = create();
    const { node } = flow;
    const said = wordsInARow(4, 100);
    const whole = speech(RATE, said, 1300);
    await speak(flow, whole.subarray(0, RATE * 2 * 0.6));
    // 48 kHz stereo: each sample four times over.
    const rest = whole.subarray(RATE * 2 * 0.6);
    const doubled = Buffer.alloc(rest.length * 4);
    for (let i = 0; i < rest.length; i += 2) {
      for (let k = 0; k < 4; k++) doubled.writeInt16LE(rest.readInt16LE(i), i * 4 + k * 2);
    }
    const audio = { encoding: 's16le', sampleRate: 48_000, channels: 2, stream: 'a', position: 0.6 * 48_000 };
    await node.receive({ payload: doubled, audio: { ...audio, time: START_TIME + 600 } });
    await node.receive({ audio: { stream: 'a' }, complete: true });
    const told = node
      .output(WORDS)
      .filter(({ payload }) => payload !== '')
      .flatMap((msg) => transcriptOf(msg).words ?? []);
    assert.deepEqual(
      told.map(({ text }) => text),
      said.map(({ text }) => text),
    );
    for (const [i, { startTime }] of told.entries()) {
      assert.ok(Math.abs(startTime - START_TIME - said[i]!.startMs) < 10);
    }
    await node.close();
  });

  it('leaves out sound while it is disconnected, and goes on when it is connected again', async () => {
    const flow = create();
    const { node } = flow;
    await speak(flow, speech(RATE, wordsInARow(1, 100), 400));
    await node.receive({ action: 'disconnect' });
    await node.until(EVENTS, ({ payload }) => (payload as { event: string }).event === 'disconnected');
    assert.equal(node.output(WORDS)[0]?.payload, 'zero');
    await speak(flow, speech(RATE, wordsInARow(2, 0), 600), 400);
    await node.receive({ action: 'connect' });
    await speak(flow, speech(RATE, [{ text: 'nine', startMs: 100, endMs: 300 }], 400), 1000);
    await node.receive({ audio: { stream: 'a' }, complete: true });
    assert.deepEqual(
      node.output(WORDS).map(({ payload }) => payload),
      ['zero', 'nine', ''],
    );
    await node.close();
  });

  it('refuses what is no sound, and an action that it does not know', async () => {
    const { node } = create();
    assert.match((await node.receive({ payload: 'text' }))?.message ?? '', /a Buffer of sound is wanted/);
    assert.match((await node.receive({ action: 'stop' }))?.message ?? '', /connect, disconnect or finish/);
    await node.close();
  });
});

describe('orgo-audio-transcribe, deployed wrongly', () => {
  const wrong: readonly [settings: Record<string, unknown>, key: string, text: RegExp][] = [
    [{ service: 'openai' }, '', /needs an API key: apiKey is missing/],
    [{ service: 'deepgram' }, ' ', /needs an API key: apiKey is missing/],
    [{ service: 'deepgram', url: 'https://host/' }, 'k', /begins with wss:\/\/ or ws:\/\//],
    [{ service: 'siri' }, 'k', /service is "siri"/],
    [{ url: 'nonsense' }, 'k', /url is "nonsense"/],
  ];
  for (const [settings, key, text] of wrong) {
    it(`says what is wrong: ${JSON.stringify(settings)}`, async () => {
      const { node } = transcribeNode(settings, key);
      assert.equal(node.lastStatus?.fill, 'red');
      assert.match(node.errors.join(), text);
      assert.match((await node.receive({ payload: Buffer.alloc(2) }))?.message ?? '', text);
      await node.close();
    });
  }
});
