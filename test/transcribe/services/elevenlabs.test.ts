import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import type { PcmFormat } from '../../../src/audio/format';
import { ELEVENLABS } from '../../../src/transcribe/services/elevenlabs';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { ELEVENLABS_KEY, startElevenlabs } from '../support/elevenlabs-stand-in';
import { speech, wordsInARow } from '../support/coded-words';
import { SessionRig, type RigOptions } from '../support/session-rig';
import { itBearsFailures } from '../support/trials';
import type { WebSocketStandIn } from '../support/web-socket-stand-in';

const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };

const COMMIT = '{"message_type":"input_audio_chunk","audio_base_64":"","commit":true,"sample_rate":16000}';

describe('elevenlabs', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startElevenlabs(clock);
  });
  afterEach(() => standIn.stop());

  function listen(entered: RigOptions['entered'] = {}): SessionRig {
    return new SessionRig({
      ...{ service: ELEVENLABS, standIn, clock, entered: { apiKey: ELEVENLABS_KEY, ...entered } },
    });
  }

  it('gives words with their times, those that may change first, each committed once', async () => {
    const rig = listen();
    const said = wordsInARow(3, 500);
    rig.hear(speech(24000, said, 3000), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    rig.assertWords(said);
    const [told] = rig.words;
    assert.deepEqual([told?.text, told?.transcript.language], ['zero one two', 'en']);
    assert.deepEqual(
      rig.interim.map(({ text }) => text),
      ['zero', 'zero one', 'zero one two'],
    );
    for (const { transcript } of rig.interim) assert.equal(transcript.id, told?.transcript.id);
    await rig.session.end(1000);
    assert.deepEqual([rig.words.length, rig.errors, standIn.violations], [1, [], []]);
  });

  it('gives words whose times do not come, once it says something else', async () => {
    const rig = listen();
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.session.state.kind === 'connected');
    standIn.caller?.send({ message_type: 'committed_transcript', text: 'hello' });
    standIn.caller?.send({ message_type: 'partial_transcript', text: 'there' });
    await rig.until(() => rig.interim.length === 1);
    assert.equal(rig.words[0]?.text, 'hello');
    rig.session.close();
  });

  it('asks for what was set, with the key in a header alone, and the prompt with the first sound', async () => {
    const rig = listen({ language: 'de', prompt: 'Names: Orgo', commit: 'speech' });
    rig.hear(speech(24000, [], 400), MONO_24K);
    await rig.until(() => (standIn.caller?.received.length ?? 0) > 2);
    assert.deepEqual(Object.fromEntries(standIn.caller?.query ?? []), {
      ...{ model_id: 'scribe_v2_realtime', audio_format: 'pcm_16000', commit_strategy: 'manual' },
      ...{ include_timestamps: 'true', language_code: 'de' },
    });
    const [first, second] = standIn.caller?.received ?? [];
    assert.match(String(first), /"commit":false,"sample_rate":16000,"previous_text":"Names: Orgo"/);
    assert.equal(String(second).includes('previous_text'), false);
    rig.session.close();
    assert.deepEqual(standIn.violations, []);
  });

  it('ends a turn where speech ended, as soon as that sound was sent', async () => {
    const rig = listen({ commit: 'speech' });
    const said = wordsInARow(2, 100);
    rig.session.speechEnd(24000);
    rig.hear(speech(24000, said, 1200), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    rig.assertWords(said);
    const received = (standIn.caller?.received ?? []).map(String);
    const at = received.indexOf(COMMIT);
    const sound = received
      .slice(0, at)
      .map((text) => (JSON.parse(text) as { audio_base_64: string }).audio_base_64);
    const bytes = Buffer.concat(sound.map((text) => Buffer.from(text, 'base64'))).length;
    assert.equal(bytes, 2 * 16000, 'a second of sound came before the turn was ended');
    rig.session.close();
    assert.deepEqual(standIn.violations, []);
  });

  for (const commit of ['service', 'speech'] as const) {
    it(`gives the last words when asked in between, and at the end (commit: ${commit})`, async () => {
      const rig = listen({ commit });
      const said = wordsInARow(4, 100);
      const sound = speech(24000, said, 1300);
      rig.hear(sound.subarray(0, 24000 * 2 * 0.7), MONO_24K);
      await rig.session.finish();
      // There is nothing to commit: that it says so is no error.
      await rig.session.finish();
      rig.hear(sound.subarray(24000 * 2 * 0.7), MONO_24K);
      await rig.session.end(5000);
      rig.assertWords(said);
      assert.deepEqual([standIn.callers.length, standIn.violations, rig.errors], [1, [], []]);
    });
  }

  for (const [what, entered, code, says] of [
    ['a wrong key', { apiKey: 'sesame-open' }, 'ORGO_SERVICE_KEY_REJECTED', /must be authenticated/],
    ['a model that it has not', { model: 'none' }, 'ORGO_SERVICE_REFUSED', /No such model/],
  ] as const) {
    it(`tells ${what} in the service’s words, without the key`, async () => {
      const rig = listen(entered);
      rig.hear(speech(24000, [], 200), MONO_24K);
      await rig.until(() => rig.errors.length === 1);
      assert.equal(rig.errors[0]?.code, code);
      assert.match(rig.errors[0].message, says);
      assert.equal(JSON.stringify([rig.events, rig.errors.map(String)]).includes('sesame'), false);
      rig.session.close();
    });
  }

  for (const [type, code] of [
    ['quota_exceeded', 'ORGO_SERVICE_REFUSED'],
    ['unaccepted_terms_error', 'ORGO_SERVICE_REFUSED'],
    ['session_time_limit_exceeded', 'ORGO_SERVICE_FAILED'],
  ] as const) {
    it(`ends the connection on ${type}, in its words`, async () => {
      const rig = listen();
      rig.hear(speech(24000, [], 200), MONO_24K);
      await rig.until(() => rig.session.state.kind === 'connected');
      standIn.caller?.send({ message_type: type, error: 'So it is.' });
      await rig.until(() => rig.errors.length === 1);
      assert.equal(rig.errors[0]?.code, code);
      assert.ok(rig.errors[0].message.includes(`“So it is. (${type})”`));
      rig.session.close();
    });
  }

  itBearsFailures({
    service: ELEVENLABS,
    start: startElevenlabs,
    entered: { apiKey: ELEVENLABS_KEY },
    saysReady: true,
    garbage: [
      {},
      { message_type: 5 },
      { message_type: 'toString', error: 'ghost' },
      { message_type: 'committed_transcript_with_timestamps', text: 'ghost', words: 'none' },
    ],
  });
});
