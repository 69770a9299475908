import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PcmFormat } from '../../../src/audio/format';
import { DEEPGRAM } from '../../../src/transcribe/services/deepgram';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { speech, wordsInARow } from '../support/coded-words';
import { DEEPGRAM_KEY, startDeepgram } from '../support/deepgram-stand-in';
import { SessionRig, type RigOptions } from '../support/session-rig';
import type { WebSocketStandIn } from '../support/web-socket-stand-in';

const MONO_24K: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };

describe('deepgram', () => {
  let clock: FakeClock;
  let standIn: WebSocketStandIn;
  beforeEach(async () => {
    clock = new FakeClock();
    standIn = await startDeepgram(clock);
  });
  afterEach(() => standIn.stop());

  function listen(entered: RigOptions['entered'] = {}): SessionRig {
    return new SessionRig({
      ...{ service: DEEPGRAM, standIn, clock, entered: { apiKey: DEEPGRAM_KEY, ...entered } },
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
    assert.deepEqual([told.transcript.service, told.transcript.confidence], ['deepgram', 0.99]);
    assert.deepEqual(
      rig.interim.map(({ text }) => text),
      ['zero', 'zero one', 'zero one two'],
    );
    for (const { transcript } of rig.interim) assert.equal(transcript.id, told.transcript.id);
    await rig.session.end(1000);
    assert.deepEqual(standIn.violations, []);
  });

  it('asks for what was set, with the key in a header alone', async () => {
    const rig = listen({ model: 'nova-2', language: 'de', interim: false, commit: 'speech' });
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.session.state.kind === 'connected');
    const query = Object.fromEntries(standIn.caller?.query ?? []);
    assert.deepEqual(query, {
      ...{ model: 'nova-2', encoding: 'linear16', sample_rate: '16000', channels: '1', punctuate: 'true' },
      ...{ interim_results: 'false', language: 'de', endpointing: 'false' },
    });
    rig.session.close();
  });

  it('ends a turn where speech ended, as soon as that sound was sent', async () => {
    const rig = listen({ commit: 'speech' });
    const said = wordsInARow(2, 100);
    const sound = speech(24000, said, 1200);
    // The end of speech is told ahead of its sound.
    rig.session.speechEnd(24000);
    rig.hear(sound, MONO_24K);
    await rig.until(() => rig.words.length === 1);
    rig.assertWords(said);
    const received = standIn.caller?.received ?? [];
    const at = received.indexOf('{"type":"Finalize"}');
    const before = received.slice(0, at).reduce((sum: number, size) => sum + Number(size), 0);
    assert.equal(before, 2 * 16000, 'a second of sound came before the turn was ended');
    rig.session.close();
  });

  it('keeps a silent connection open', async () => {
    const rig = listen();
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.session.state.kind === 'connected');
    await rig.until(() => (standIn.caller?.received.length ?? 0) > 0);
    standIn.policesSilence = true;
    const keepAlives = (): number =>
      standIn.caller?.received.filter((message) => message === '{"type":"KeepAlive"}').length ?? 0;
    for (let i = 1; i <= 10; i++) {
      clock.advance(4100);
      await rig.until(() => keepAlives() === i);
      // The answer to a ping may be read a turn later than the service's next message.
      await turn();
      await turn();
    }
    assert.equal(standIn.callers.length, 1);
    rig.session.close();
  });

  it('asks for the last words at the end, and closes as the service wants it', async () => {
    const rig = listen();
    const said = wordsInARow(2, 100);
    rig.hear(speech(24000, said, 700), MONO_24K);
    await rig.session.end(5000);
    rig.assertWords(said);
    assert.deepEqual(standIn.caller?.received.at(-1), '{"type":"CloseStream"}');
    assert.deepEqual(standIn.violations, []);
    assert.deepEqual(rig.errors, []);
  });

  it('gives the last words when asked in between, and goes on', async () => {
    const rig = listen();
    const said = wordsInARow(4, 100);
    const sound = speech(24000, said, 3000);
    rig.hear(sound.subarray(0, 24000 * 2 * 0.7), MONO_24K);
    await rig.session.finish();
    assert.equal(rig.words[0]?.text, 'zero one');
    rig.hear(sound.subarray(24000 * 2 * 0.7), MONO_24K);
    await rig.until(() => rig.words.length === 2);
    rig.assertWords(said);
    assert.equal(standIn.callers.length, 1);
    rig.session.close();
  });

  it('tells a wrong key once, without it, and tries again after 30 s or when asked', async () => {
    const rig = listen({ apiKey: 'sesame-open' });
    rig.hear(speech(24000, [], 200), MONO_24K);
    await rig.until(() => rig.session.state.kind === 'waiting');
    assert.equal(clock.nextIn === undefined, false);
    rig.session.connect();
    await rig.until(() => rig.errors.length === 2 || rig.events.length === 2);
    clock.advance(29_000);
    assert.equal(rig.session.state.kind, 'waiting');
    clock.advance(1000);
    await rig.until(() => rig.events.length === 3);
    for (const { message, code } of rig.errors) {
      assert.equal(code, 'ORGO_SERVICE_KEY_REJECTED');
      assert.match(message, /rejected the API key: “HTTP 401 Invalid credentials\.”/);
    }
    assert.equal(JSON.stringify([rig.events, rig.errors.map(String)]).includes('sesame'), false);
    rig.session.close();
  });
});
