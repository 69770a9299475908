import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PcmFormat } from '../../../src/audio/format';
import { DEEPGRAM_FLUX } from '../../../src/transcribe/services/deepgram-flux';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { startDeepgramFlux } from '../support/deepgram-flux-stand-in';
import { DEEPGRAM_KEY } from '../support/deepgram-stand-in';
import { speech, wordsInARow } from '../support/coded-words';
import { SessionRig, type RigOptions } from '../support/session-rig';
import { itBearsFailures } from '../support/trials';
import type { WebSocketStandIn } from '../support/web-socket-stand-in';

const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };

describe('deepgram-flux', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startDeepgramFlux(clock);
  });
  afterEach(() => standIn.stop());

  function listen(entered: RigOptions['entered'] = {}): SessionRig {
    return new SessionRig({
      ...{ service: DEEPGRAM_FLUX, standIn, clock, entered: { apiKey: DEEPGRAM_KEY, ...entered } },
    });
  }

  it('gives words with their times, those that may change first, under one id', async () => {
    const rig = listen();
    const said = wordsInARow(3, 500);
    rig.hear(speech(24000, said, 3000), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    rig.assertWords(said);
    const [told] = rig.words;
    assert.equal(told?.text, 'zero one two');
    assert.equal(told.transcript.words?.[0]?.confidence, 0.95);
    assert.deepEqual(
      rig.interim.map(({ text }) => text),
      ['zero', 'zero one', 'zero one two'],
    );
    for (const { transcript } of rig.interim) assert.equal(transcript.id, told.transcript.id);
    await rig.session.end(1000);
    assert.deepEqual(standIn.violations, []);
  });

  it('gives words of a deployment that tells no times of them', async () => {
    const older = await startDeepgramFlux(clock, { hasNoTimes: true });
    const rig = new SessionRig({
      ...{ service: DEEPGRAM_FLUX, standIn: older, clock, entered: { apiKey: DEEPGRAM_KEY } },
    });
    rig.hear(speech(24000, wordsInARow(2, 100), 1500), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    assert.deepEqual([rig.words[0]?.text, rig.words[0]?.transcript.words], ['zero one', undefined]);
    rig.session.close();
    await older.stop();
  });

  it('asks for what was set, with the key in a header alone', async () => {
    const rig = listen({ language: 'de', prompt: 'Orgo', commit: 'speech' });
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.session.state.kind === 'connected');
    assert.deepEqual(Object.fromEntries(standIn.caller?.query ?? []), {
      ...{ model: 'flux-general-multi', encoding: 'linear16', sample_rate: '16000', language_hint: 'de' },
      ...{ keyterm: 'Orgo', eot_threshold: '1.0', eot_timeout_ms: '10000' },
    });
    rig.session.close();
  });

  it('ends a turn where speech ended, as soon as that sound was sent', async () => {
    const rig = listen({ commit: 'speech' });
    const said = wordsInARow(2, 100);
    rig.session.speechEnd(24000);
    rig.hear(speech(24000, said, 1200), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    rig.assertWords(said);
    const received = standIn.caller?.received ?? [];
    const at = received.indexOf('{"type":"ForceEndTurn"}');
    const before = received.slice(0, at).reduce((sum: number, size) => sum + Number(size), 0);
    assert.equal(before, 2 * 16000, 'a second of sound came before the turn was ended');
    // Where there is no turn to end, it says nothing: after 5 s it is let be.
    const finished = rig.session.finish();
    await rig.until(() => standIn.caller?.received.at(-1) === '{"type":"ForceEndTurn"}');
    clock.advance(5000);
    await finished;
    assert.deepEqual([rig.words.length, standIn.callers.length, standIn.violations], [1, 1, []]);
    rig.session.close();
  });

  it('keeps a silent connection open by silence, for it takes no message that does', async () => {
    const rig = listen();
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => (standIn.caller?.received.length ?? 0) > 0);
    standIn.policesSilence = true;
    for (let i = 0; i < 5; i++) {
      const before = standIn.caller?.received.length ?? 0;
      clock.advance(4100);
      await rig.until(() => (standIn.caller?.received.length ?? 0) > before);
      assert.equal(standIn.caller?.received.at(-1), 3200);
      await turn();
      await turn();
    }
    assert.deepEqual([standIn.callers.length, standIn.violations], [1, []]);
    rig.session.close();
  });

  for (const end of ['finish', 'end'] as const) {
    it(`takes the words that came last as final, since ${end} brings no EndOfTurn`, async () => {
      const rig = listen();
      const said = wordsInARow(2, 100);
      rig.hear(speech(24000, said, 700), MONO_24K);
      await rig.session[end](5000);
      rig.assertWords(said);
      assert.deepEqual(standIn.caller?.received.at(-1), '{"type":"CloseStream"}');
      assert.deepEqual([standIn.violations, rig.errors], [[], []]);
      rig.session.close();
    });
  }

  for (const [what, entered, code, says] of [
    ['a wrong key', { apiKey: 'sesame-open' }, 'ORGO_SERVICE_KEY_REJECTED', /HTTP 401/],
    ['a model that it has not', { model: 'nova-3' }, 'ORGO_SERVICE_REFUSED', /No such model/],
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

  itBearsFailures({
    service: DEEPGRAM_FLUX,
    start: startDeepgramFlux,
    entered: { apiKey: DEEPGRAM_KEY },
    saysReady: true,
    garbage: [
      {},
      { type: 'TurnInfo' },
      { type: 'TurnInfo', event: 'EndOfTurn', transcript: 'ghost', audio_window_end: 'soon' },
      { type: 'Results', is_final: true },
    ],
  });
});
