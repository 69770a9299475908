import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import type { PcmFormat } from '../../../src/audio/format';
import { WHISPERLIVE } from '../../../src/transcribe/services/whisperlive';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { speech, wordsInARow } from '../support/coded-words';
import { SessionRig, type RigOptions } from '../support/session-rig';
import { itBearsFailures } from '../support/trials';
import type { WebSocketStandIn } from '../support/web-socket-stand-in';
import { startWhisperlive } from '../support/whisperlive-stand-in';

const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };

describe('whisperlive', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startWhisperlive(clock);
  });
  afterEach(() => standIn.stop());

  function listen(entered: RigOptions['entered'] = {}, to = standIn): SessionRig {
    return new SessionRig({ service: WHISPERLIVE, standIn: to, clock, entered });
  }

  it('gives words with their times, those that may change first, repeated segments once', async () => {
    const rig = listen();
    const said = [...wordsInARow(3, 500), ...wordsInARow(2, 2500)];
    rig.hear(speech(24000, said, 4500), MONO_24K);
    await rig.until(() => rig.words.length === 2);
    rig.assertWords(said);
    const [told] = rig.words;
    assert.equal(told?.text, 'zero one two');
    assert.deepEqual([told.transcript.language, told.transcript.words?.[0]?.confidence], ['en', 0.94]);
    assert.deepEqual(
      rig.interim.map(({ text }) => text),
      ['zero', 'zero one', 'zero one two', 'zero', 'zero one'],
    );
    assert.equal(rig.interim[0]?.transcript.id, told.transcript.id);
    await rig.session.end(1000);
    assert.deepEqual([rig.words.length, standIn.violations], [2, []]);
  });

  it('says first what it wants, with the key in a header alone', async () => {
    const guarded = await startWhisperlive(clock, { apiKey: 'right' });
    const rig = listen({ apiKey: 'right', model: 'tiny', language: 'de', prompt: 'Orgo' }, guarded);
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.session.state.kind === 'connected');
    const { uid, ...rest } = JSON.parse(String(guarded.caller?.received[0])) as Record<string, unknown>;
    assert.equal(typeof uid, 'string');
    assert.deepEqual(rest, {
      ...{ language: 'de', task: 'transcribe', model: 'tiny', use_vad: true, word_timestamps: true },
      initial_prompt: 'Orgo',
    });
    rig.session.close();
    await guarded.stop();
  });

  for (const end of ['finish', 'end'] as const) {
    it(`takes the segment that came last as final, since it never completes by itself (${end})`, async () => {
      const rig = listen();
      const said = wordsInARow(2, 100);
      rig.hear(speech(24000, said, 700), MONO_24K);
      await rig.session[end](5000);
      rig.assertWords(said);
      assert.equal(standIn.caller?.received.at(-1), 'END_OF_AUDIO'.length, 'the end is binary');
      assert.deepEqual([standIn.violations, rig.errors], [[], []]);
      rig.session.close();
    });
  }

  it('tells a wrong key once, without it', async () => {
    const guarded = await startWhisperlive(clock, { apiKey: 'right' });
    const rig = listen({ apiKey: 'sesame-open' }, guarded);
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.errors.length === 1);
    assert.equal(rig.errors[0]?.code, 'ORGO_SERVICE_KEY_REJECTED');
    assert.equal(JSON.stringify([rig.events, rig.errors.map(String)]).includes('sesame'), false);
    rig.session.close();
    await guarded.stop();
  });

  it('says that it is full, and for how long', async () => {
    const full = await startWhisperlive(clock, { isFull: true });
    const rig = listen({}, full);
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.errors.length === 1);
    assert.match(rig.errors[0]?.message ?? '', /it is full for 4 minutes/);
    rig.session.close();
    await full.stop();
  });

  it('says that it has not the model', async () => {
    const rig = listen({ model: 'none' });
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.errors.length === 1);
    assert.equal(rig.errors[0]?.code, 'ORGO_SERVICE_REFUSED');
    assert.match(rig.errors[0].message, /Failed to load model: none/);
    rig.session.close();
  });

  it('goes on with a new connection where it ends one after a while, and has each word once', async () => {
    const rig = listen();
    const said = wordsInARow(4, 100);
    const sound = speech(24000, said, 3000);
    rig.hear(sound.subarray(0, 24000 * 2 * 0.7), MONO_24K);
    await rig.until(() => rig.interim.length === 2);
    const { uid } = JSON.parse(String(standIn.caller?.received[0])) as { uid: string };
    standIn.caller?.send({ uid, message: 'DISCONNECT' });
    await rig.until(() => rig.session.state.kind === 'waiting');
    rig.hear(sound.subarray(24000 * 2 * 0.7), MONO_24K);
    await rig.until(() => rig.words.length === 1);
    rig.assertWords(said);
    rig.session.close();
  });

  itBearsFailures({
    service: WHISPERLIVE,
    start: startWhisperlive,
    saysReady: true,
    garbage: [{}, { uid: 'someone else', segments: [] }, { uid: 5, message: 'SERVER_READY' }],
  });
});
