import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PcmFormat } from '../../../src/audio/format';
import { ASSEMBLYAI } from '../../../src/transcribe/services/assemblyai';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { ASSEMBLYAI_KEY, startAssemblyai } from '../support/assemblyai-stand-in';
import { speech, wordsInARow } from '../support/coded-words';
import { SessionRig, type RigOptions } from '../support/session-rig';
import { itBearsFailures } from '../support/trials';
import type { WebSocketStandIn } from '../support/web-socket-stand-in';

const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };

describe('assemblyai', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startAssemblyai(clock);
  });
  afterEach(() => standIn.stop());

  function listen(entered: RigOptions['entered'] = {}): SessionRig {
    return new SessionRig({
      ...{ service: ASSEMBLYAI, standIn, clock, entered: { apiKey: ASSEMBLYAI_KEY, ...entered } },
    });
  }

  /** It takes sound no faster than it is spoken: lets the clock go on until it has taken all. */
  async function until(rig: SessionRig, holds: () => boolean): Promise<void> {
    while (!holds()) {
      rig.clock.advance(20);
      await turn();
    }
  }

  it('gives words with their times, those that may change first, the last of a turn once', async () => {
    const rig = listen();
    const said = wordsInARow(3, 500);
    rig.hear(speech(24000, said, 3000), MONO_24K);
    await until(rig, () => rig.words.length === 1);
    rig.assertWords(said);
    const [told] = rig.words;
    assert.equal(told?.text, 'zero one two');
    assert.equal(told.transcript.words?.[0]?.confidence, 0.96);
    assert.deepEqual(
      rig.interim.map(({ text }) => text),
      ['zero', 'zero one', 'zero one two'],
    );
    for (const { transcript } of rig.interim) assert.equal(transcript.id, told.transcript.id);
    const end = rig.session.end(5000);
    await until(rig, () => rig.session.state.kind !== 'connected');
    await end;
    assert.equal(rig.words.length, 1);
    assert.deepEqual(standIn.violations, []);
  });

  it('asks for what was set, with the key in a header alone', async () => {
    const rig = listen({ language: 'de', prompt: 'Orgo, Node-RED', commit: 'speech' });
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.session.state.kind === 'connected');
    assert.deepEqual(Object.fromEntries(standIn.caller?.query ?? []), {
      ...{ sample_rate: '16000', encoding: 'pcm_s16le', speech_model: 'universal-streaming-multilingual' },
      ...{ format_turns: 'true', keyterms_prompt: '["Orgo","Node-RED"]' },
      ...{ end_of_turn_confidence_threshold: '1', max_turn_silence: '10000' },
    });
    rig.session.close();
  });

  it('ends a turn where speech ended, as soon as that sound was sent', async () => {
    const rig = listen({ commit: 'speech' });
    const said = wordsInARow(2, 100);
    rig.session.speechEnd(24000);
    rig.hear(speech(24000, said, 1200), MONO_24K);
    await until(rig, () => rig.words.length === 1);
    rig.assertWords(said);
    const received = standIn.caller?.received ?? [];
    const at = received.indexOf('{"type":"ForceEndpoint"}');
    const before = received.slice(0, at).reduce((sum: number, size) => sum + Number(size), 0);
    // The last piece is filled up to the 50 ms that it takes at least.
    assert.ok(
      before >= 2 * 16000 && before < 2 * 16000 + 1600,
      `${before} bytes came before the turn was ended`,
    );
    rig.session.close();
    assert.deepEqual(standIn.violations, []);
  });

  it('asks for the last words at the end, fills up the last piece, and always terminates', async () => {
    const rig = listen();
    const said = wordsInARow(2, 100);
    rig.hear(speech(24000, said, 720), MONO_24K);
    const end = rig.session.end(5000);
    await until(rig, () => rig.session.state.kind !== 'connected' && rig.words.length === 1);
    await end;
    rig.assertWords(said);
    assert.deepEqual(standIn.caller?.received.at(-1), '{"type":"Terminate"}');
    assert.deepEqual([standIn.violations, rig.errors], [[], []]);
  });

  it('gives the last words when asked in between, and goes on', async () => {
    const rig = listen();
    const said = wordsInARow(4, 100);
    const sound = speech(24000, said, 3000);
    rig.hear(sound.subarray(0, 24000 * 2 * 0.7), MONO_24K);
    const finished = rig.session.finish();
    await until(rig, () => rig.words.length === 1);
    await finished;
    rig.hear(sound.subarray(24000 * 2 * 0.7), MONO_24K);
    await until(rig, () => rig.words.length === 2);
    rig.assertWords(said);
    assert.equal(standIn.callers.length, 1);
    rig.session.close();
  });

  for (const [what, entered, code, says] of [
    ['a wrong key', { apiKey: 'sesame-open' }, 'ORGO_SERVICE_KEY_REJECTED', /Unauthorized Connection/],
    ['a model that it has not', { model: 'none' }, 'ORGO_SERVICE_REFUSED', /Invalid speech_model: none/],
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

  it('tells by the close alone that an account is empty', async () => {
    const rig = listen();
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.session.state.kind === 'connected');
    standIn.caller?.socket.close(1008, 'Unauthorized Connection: Insufficient account balance');
    await rig.until(() => rig.errors.length === 1);
    assert.equal(rig.errors[0]?.code, 'ORGO_SERVICE_REFUSED');
    rig.session.close();
  });

  itBearsFailures({
    service: ASSEMBLYAI,
    start: startAssemblyai,
    entered: { apiKey: ASSEMBLYAI_KEY },
    saysReady: true,
    // Sound is sent no faster than it comes: what an outage left behind stays behind until there is a pause.
    maxBufferMs: 60_000,
    garbage: [
      {},
      { type: 'Turn' },
      { type: 'Turn', turn_order: -5, transcript: 'ghost', end_of_turn: true, turn_is_formatted: true },
      { type: 'Turn', turn_order: 'one', transcript: 'ghost' },
      { type: 'Unknown' },
    ],
  });
});
