import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import type { PcmFormat } from '../../../src/audio/format';
import { VOSK } from '../../../src/transcribe/services/vosk';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { speech, wordsInARow } from '../support/coded-words';
import { SessionRig, type RigOptions } from '../support/session-rig';
import { itBearsFailures, itBearsLargeAnswers, type TrialOptions } from '../support/trials';
import { startVosk } from '../support/vosk-stand-in';
import type { WebSocketStandIn } from '../support/web-socket-stand-in';

const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };

describe('vosk', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startVosk(clock);
  });
  afterEach(() => standIn.stop());

  function listen(entered: RigOptions['entered'] = {}, to = standIn): SessionRig {
    return new SessionRig({ service: VOSK, standIn: to, clock, entered });
  }

  it('gives words with their times, those that may change first, under one id', async () => {
    const rig = listen();
    const said = wordsInARow(3, 500);
    rig.hear(speech(24000, said, 3000), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    rig.assertWords(said);
    const [told] = rig.words;
    assert.equal(told?.text, 'zero one two');
    assert.equal(told.transcript.words?.[0]?.confidence, 0.97);
    assert.deepEqual([told.transcript.confidence, told.transcript.language], [undefined, undefined]);
    const interim = new Set(rig.interim.map(({ text }) => text));
    assert.deepEqual([...interim], ['zero', 'zero one', 'zero one two']);
    for (const { transcript } of rig.interim) {
      assert.equal(transcript.id, told.transcript.id);
      assert.ok(Math.abs(transcript.startTime - rig.startTime - 500) <= 250, 'it began about when it did');
    }
    await rig.session.end(1000);
    assert.deepEqual(standIn.violations, []);
  });

  it('says first what sound follows, then sends nothing but whole pieces of it', async () => {
    const rig = listen({ language: 'de', prompt: 'ignored' });
    rig.hear(speech(24000, [], 400), MONO_24K);
    await rig.session.end(1000);
    const [config, ...rest] = standIn.caller?.received ?? [];
    assert.equal(config, '{"config":{"sample_rate":16000,"words":true,"max_alternatives":0}}');
    const pieces = rest.filter((message) => typeof message === 'number');
    assert.deepEqual([...new Set(pieces)].sort().slice(0, 1), [1280], 'pieces of 40 ms');
    assert.equal(
      pieces.reduce((sum, bytes) => sum + bytes, 0),
      0.4 * 16000 * 2,
    );
    assert.equal(standIn.caller?.request.url, '/');
    rig.session.close();
  });

  it('lets go of silence, of which it has said that there are no words', async () => {
    const rig = new SessionRig({ service: VOSK, standIn, clock, maxBufferMs: 5000 });
    for (let i = 1; i <= 6; i++) {
      rig.hear(speech(24000, [], 2000), MONO_24K);
      const sent = i * 49;
      await rig.until(() => (standIn.caller?.received.length ?? 0) >= sent);
    }
    await rig.session.end(1000);
    assert.deepEqual(
      rig.events.filter(({ event }) => event === 'dropped'),
      [],
      '12 s of silence are no loss',
    );
  });

  it('ends a turn where speech ended, as soon as that sound was sent', async () => {
    const rig = listen({ commit: 'speech' });
    const said = wordsInARow(2, 100);
    rig.session.speechEnd(24000);
    rig.hear(speech(24000, said, 1200), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    rig.assertWords(said);
    const received = standIn.caller?.received ?? [];
    const at = received.indexOf('{"reset" : 1}');
    const before = received.slice(1, at).reduce((sum: number, size) => sum + Number(size), 0);
    assert.equal(before, 2 * 16000, 'a second of sound came before the turn was ended');
    rig.session.close();
  });

  it('says of a server that can’t end turns what to do', async () => {
    const old = await startVosk(clock, { isOld: true });
    const rig = listen({ commit: 'speech' }, old);
    rig.session.speechEnd(12000);
    rig.hear(speech(24000, [], 1000), MONO_24K);
    await rig.until(() => rig.errors.length === 1);
    assert.equal(rig.errors[0]?.code, 'ORGO_SERVICE_REFUSED');
    assert.match(rig.errors[0].message, /can’t end a turn when asked: update it, or set commit to service/);
    rig.session.close();
    await old.stop();
  });

  it('asks for the last words at the end, and closes as the service wants it', async () => {
    const rig = listen();
    const said = wordsInARow(2, 100);
    rig.hear(speech(24000, said, 700), MONO_24K);
    await rig.session.end(5000);
    rig.assertWords(said);
    assert.deepEqual(standIn.caller?.received.at(-1), '{"eof" : 1}');
    assert.deepEqual(standIn.violations, []);
    assert.deepEqual(rig.errors, []);
  });

  for (const commit of ['service', 'speech'] as const) {
    it(`gives the last words when asked in between, and goes on (commit: ${commit})`, async () => {
      const rig = listen({ commit });
      const said = wordsInARow(4, 100);
      const sound = speech(24000, said, 3000);
      rig.hear(sound.subarray(0, 24000 * 2 * 0.7), MONO_24K);
      await rig.session.finish();
      assert.equal(rig.words[0]?.text, 'zero one');
      rig.hear(sound.subarray(24000 * 2 * 0.7), MONO_24K);
      await rig.session.finish();
      rig.assertWords(said);
      // A server that knows no reset gives its last words only with the end.
      assert.equal(standIn.callers.length, commit === 'service' ? 2 : 1);
      assert.deepEqual(rig.errors, []);
      rig.session.close();
    });
  }

  it('tells a wrong key of a proxy once, without it', async () => {
    const guarded = await startVosk(clock, { apiKey: 'right' });
    const rig = listen({ apiKey: 'sesame-open' }, guarded);
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.errors.length === 1);
    assert.equal(rig.errors[0]?.code, 'ORGO_SERVICE_KEY_REJECTED');
    assert.equal(JSON.stringify([rig.events, rig.errors.map(String)]).includes('sesame'), false);
    rig.session.close();
    await guarded.stop();
  });

  it('says that the server can’t load the model that was entered', async () => {
    const rig = listen({ model: '/models/none' });
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.errors.length === 1);
    assert.equal(rig.errors[0]?.code, 'ORGO_SERVICE_REFUSED');
    assert.match(rig.errors[0].message, /can’t load the model \/models\/none/);
    rig.session.close();
  });

  const trials: TrialOptions = {
    service: VOSK,
    start: startVosk,
    saysReady: false,
    garbage: [{}, { text: 5 }, { partial: null }, { result: [] }, { text: '', result: 'none' }],
  };
  itBearsFailures(trials);
  itBearsLargeAnswers(trials);
});
