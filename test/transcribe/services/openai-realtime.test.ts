import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import type { PcmFormat } from '../../../src/audio/format';
import { OPENAI_REALTIME } from '../../../src/transcribe/services/openai-realtime';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { speech, wordsInARow } from '../support/coded-words';
import { OPENAI_REALTIME_KEY, startOpenaiRealtime } from '../support/openai-realtime-stand-in';
import { SessionRig, type RigOptions } from '../support/session-rig';
import { assertTold, itBearsFailures } from '../support/trials';
import type { WebSocketStandIn } from '../support/web-socket-stand-in';

const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };
const APPEND = '{"type":"input_audio_buffer.append"';

describe('openai-realtime', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startOpenaiRealtime(clock);
  });
  afterEach(() => standIn.stop());

  function listen(entered: RigOptions['entered'] = {}, to = standIn): SessionRig {
    return new SessionRig({
      ...{ service: OPENAI_REALTIME, standIn: to, clock },
      entered: { apiKey: OPENAI_REALTIME_KEY, ...entered },
    });
  }

  it('gives the words of a turn with its times, without padding and silence, under one id', async () => {
    const rig = listen();
    const said = wordsInARow(3, 500);
    rig.hear(speech(24000, said, 3000), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    assertTold(rig, said);
    const [told] = rig.words;
    assert.equal(told?.transcript.words, undefined);
    assert.deepEqual(
      rig.interim.map(({ text }) => text),
      ['zero', 'zero one', 'zero one two'],
    );
    for (const { transcript } of rig.interim) assert.equal(transcript.id, told?.transcript.id);
    await rig.session.end(1000);
    assert.deepEqual(standIn.violations, []);
  });

  it('asks for what was set, with the key in a header alone', async () => {
    const rig = listen({ model: 'whisper-1', language: 'de', prompt: 'Names: Orgo' });
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.session.state.kind === 'connected');
    assert.deepEqual(JSON.parse(String(standIn.caller?.received[0])), {
      type: 'session.update',
      session: {
        type: 'transcription',
        audio: {
          input: {
            format: { type: 'audio/pcm', rate: 24000 },
            transcription: { model: 'whisper-1', language: 'de', prompt: 'Names: Orgo' },
            turn_detection: { type: 'server_vad', prefix_padding_ms: 300, silence_duration_ms: 500 },
          },
        },
      },
    });
    assert.equal(standIn.caller?.request.url, '/v1/realtime?intent=transcription');
    rig.session.close();
  });

  it('ends turns where speech ended, and gives words while they are said', async () => {
    const rig = listen({ commit: 'speech' });
    const said = wordsInARow(2, 0);
    rig.session.speechEnd(14400);
    rig.hear(speech(24000, said, 1200), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    const [told] = rig.words;
    assert.equal(told?.text, 'zero one');
    // It tells no times of its own: the turn is what was sent for it.
    const { startTime, endTime } = told.transcript;
    assert.deepEqual([startTime - rig.startTime, endTime - rig.startTime], [0, 600]);
    assert.match(String(standIn.caller?.received[0]), /"gpt-live-transcribe".*"turn_detection":null/);
    const received = (standIn.caller?.received ?? []).map(String);
    const at = received.indexOf('{"type":"input_audio_buffer.commit"}');
    const before = received.slice(0, at).filter((message) => message.startsWith(APPEND));
    const bytes = before.map((message) =>
      Buffer.from((JSON.parse(message) as { audio: string }).audio, 'base64'),
    );
    assert.equal(Buffer.concat(bytes).length, 28800, '600 ms came before the turn was ended');
    assert.deepEqual(
      rig.interim.map(({ text }) => text),
      ['zero', 'zero one'],
    );
    rig.session.close();
    assert.deepEqual(standIn.violations, []);
  });

  it('fills up a turn that is too short, and ends none where nothing was said', async () => {
    const rig = listen({ commit: 'speech' });
    rig.hear(
      speech(
        24000,
        wordsInARow(1, 0).map((word) => ({ ...word, endMs: 60 })),
        60,
      ),
      MONO_24K,
    );
    await rig.session.finish();
    assert.deepEqual(
      rig.words.map(({ text }) => text),
      ['zero'],
    );
    await rig.session.finish();
    const commits = standIn.caller?.received.filter(
      (text) => text === '{"type":"input_audio_buffer.commit"}',
    );
    assert.equal(commits?.length, 1);
    await rig.session.end(1000);
    assert.deepEqual([standIn.violations, rig.errors], [[], []]);
  });

  it('gives words in the order in which they were said, however turns are answered', async () => {
    const reversed = await startOpenaiRealtime(clock, 'reversed');
    const rig = listen({}, reversed);
    const said = [...wordsInARow(2, 500), ...wordsInARow(3, 2400)];
    rig.hear(speech(24000, said, 4000), MONO_24K);
    await rig.until(() => rig.words.length === 2);
    assertTold(rig, said);
    rig.session.close();
    await reversed.stop();
  });

  it('connects anew where a turn has no words in time, and has them once', async () => {
    const reversed = await startOpenaiRealtime(clock, 'reversed');
    const entered = { apiKey: OPENAI_REALTIME_KEY };
    const rig = new SessionRig({
      ...{ service: OPENAI_REALTIME, standIn: reversed, clock, entered, timeoutMs: 5000 },
    });
    const said = wordsInARow(2, 500);
    rig.hear(speech(24000, said, 2000), MONO_24K);
    await rig.until(() => rig.interim.length === 2);
    clock.advance(5000);
    assert.match(rig.errors[0]?.message ?? '', /no words came for a turn within 5 s/);
    clock.advance(1000);
    await rig.until(() => reversed.callers.length === 2 && rig.interim.length === 4);
    rig.hear(speech(24000, wordsInARow(1, 500), 2000), MONO_24K);
    await rig.until(() => rig.words.length === 2);
    assert.deepEqual(
      rig.words.map(({ text }) => text),
      ['zero one', 'zero'],
    );
    rig.session.close();
    await reversed.stop();
  });

  it('gives the last words when asked in between, and at the end', async () => {
    const rig = listen();
    const said = wordsInARow(4, 100);
    const sound = speech(24000, said, 1300);
    rig.hear(sound.subarray(0, 24000 * 2 * 0.7), MONO_24K);
    await rig.session.finish();
    assert.equal(rig.words[0]?.text, 'zero one');
    rig.hear(sound.subarray(24000 * 2 * 0.7), MONO_24K);
    await rig.session.end(5000);
    assert.deepEqual(
      rig.words.map(({ text }) => text),
      ['zero one', 'two three'],
    );
    assert.equal(standIn.callers.length, 1);
    assert.deepEqual([standIn.violations, rig.errors], [[], []]);
  });

  it('bears that a commit of ours crosses one of its own', async () => {
    const rig = listen();
    const said = wordsInARow(2, 500);
    // The turn ends by itself with the last sound that is sent before the last words are asked for.
    rig.hear(speech(24000, said, 1640), MONO_24K);
    await rig.session.finish();
    assertTold(rig, said);
    await rig.session.end(1000);
    assert.deepEqual([standIn.violations, rig.errors], [[], []]);
  });

  it('tells a wrong key, which it says after it let us in, without the key', async () => {
    const rig = listen({ apiKey: 'sesame-open' });
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.errors.length === 1);
    assert.equal(rig.errors[0]?.code, 'ORGO_SERVICE_KEY_REJECTED');
    assert.match(rig.errors[0].message, /Incorrect API key provided/);
    assert.equal(JSON.stringify([rig.events, rig.errors.map(String)]).includes('sesame'), false);
    rig.session.close();
  });

  for (const [what, entered, says] of [
    ['a model that it has not', { model: 'gpt-9' }, /The model 'gpt-9' does not exist/],
    ['turns of a model that hears none', { model: 'gpt-realtime-whisper' }, /Set commit to speech/],
  ] as const) {
    it(`says that the service refuses ${what}`, async () => {
      const rig = listen(entered);
      rig.hear(speech(24000, [], 200), MONO_24K);
      await rig.until(() => rig.errors.length === 1);
      assert.equal(rig.errors[0]?.code, 'ORGO_SERVICE_REFUSED');
      assert.match(rig.errors[0].message, says);
      rig.session.close();
    });
  }

  for (const [type, error, code] of [
    ['error', { code: 'insufficient_quota', message: 'You exceeded your quota' }, 'ORGO_SERVICE_REFUSED'],
    ['error', { type: 'server_error', message: 'It hurts' }, 'ORGO_SERVICE_FAILED'],
    ['conversation.item.input_audio_transcription.failed', { message: 'No' }, 'ORGO_SERVICE_FAILED'],
  ] as const) {
    it(`ends the connection on ${type} ${error.message}, in its words`, async () => {
      const rig = listen();
      rig.hear(speech(24000, [], 200), MONO_24K);
      await rig.until(() => rig.session.state.kind === 'connected');
      standIn.caller?.send({ type, item_id: 'item_0', error });
      await rig.until(() => rig.errors.length === 1);
      assert.equal(rig.errors[0]?.code, code);
      assert.ok(rig.errors[0].message.includes(`“${error.message}”`));
      rig.session.close();
    });
  }

  const WORDS = 'conversation.item.input_audio_transcription';
  itBearsFailures({
    service: OPENAI_REALTIME,
    start: startOpenaiRealtime,
    entered: { apiKey: OPENAI_REALTIME_KEY },
    saysReady: true,
    // A turn that begins with the connection has no room for its padding: where in it speech began is not told.
    toleranceMs: 305,
    garbage: [
      {},
      { type: 7 },
      { type: 'unheard.of' },
      { type: `${WORDS}.completed`, item_id: 'never sent', transcript: 'ghost' },
      { type: `${WORDS}.completed`, transcript: null },
      { type: `${WORDS}.delta`, item_id: 'ghost', delta: 5 },
      ...Array.from({ length: 150 }, (_, i) => ({
        ...{ type: `${WORDS}.delta`, item_id: `ghost ${i}`, delta: 'boo' },
      })),
      { type: 'input_audio_buffer.speech_started', item_id: 'ghost', audio_start_ms: 'soon' },
    ],
  });
});
