/** What every streaming service must bear: its stand-in goes away, answers nonsense, or never. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { PcmFormat } from '../../../src/audio/format';
import type { StreamService } from '../../../src/transcribe/service';
import type { EnteredService } from '../../../src/transcribe/services';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { speech, wordsInARow, type SpokenWord } from './coded-words';
import { SessionRig } from './session-rig';
import type { WebSocketStandIn } from './web-socket-stand-in';

export interface TrialOptions {
  readonly service: StreamService;
  readonly start: (clock: FakeClock) => Promise<WebSocketStandIn>;
  readonly entered?: Partial<EnteredService>;
  /** Answers that are JSON, and of which the service would send none: wrong fields, items never sent. */
  readonly garbage: readonly object[];
  /** Whether it answers before sound may be sent: where not, no answer at all is no failure. */
  readonly saysReady: boolean;
  /** 30 s */
  readonly maxBufferMs?: number;
  /** How far its times may be off: it rounds them. 5 */
  readonly toleranceMs?: number;
}

const FORMAT: PcmFormat = { encoding: 's16le', sampleRate: 16_000, channels: 1 };
/** The clock goes on by as much at a time where a service is waited for. */
const STEP_MS = 50;
const PAUSE_MS = 1000;
const TIMEOUT_MS = 5000;
const TOO_LARGE_BYTES = 10 * 1024 * 1024;

/** Declares the tests. */
export function itBearsFailures(options: TrialOptions): void {
  const { garbage, toleranceMs, saysReady } = options;

  it('passes over answers that make no sense, and tells of them once', () =>
    within(options, async ({ rig, standIn }) => {
      await connected(rig);
      const socket = standIn.caller?.socket;
      for (const text of [
        'no JSON',
        '<html><body>Bad gateway</body></html>',
        '{"type":"Resu',
        '[]',
        '""',
        'null',
      ])
        socket?.send(text);
      socket?.send(Buffer.from('{"text":"binary"}'));
      for (const answer of garbage) socket?.send(JSON.stringify(answer));
      await rig.until(() => rig.errors.length > 0);
      const said = say(rig, wordsInARow(3, 100));
      await told(rig, said);
      assertTold(rig, said, toleranceMs);
      assert.deepEqual(
        rig.errors.map(({ code }) => code),
        ['ORGO_SERVICE_BAD_ANSWER'],
      );
      assert.equal(standIn.callers.length, 1);
    }));

  it('has every word once, in order and at its time, after an outage of 20 s and closes every 5 s', () =>
    within(options, async ({ rig, standIn }) => {
      const said: SpokenWord[] = say(rig, wordsInARow(3, 100));
      await told(rig, said);
      await standIn.vanish();
      // The session hears of it while a word is being said, and speech goes on for 20 s.
      said.push(...say(rig, wordsInARow(64, 0), 500));
      await standIn.comeBack();
      await told(rig, said);
      for (const code of [1000, 1011, 4999]) {
        said.push(...say(rig, wordsInARow(4, 0), 4000));
        await told(rig, said);
        standIn.caller?.socket.close(code);
        said.push(...say(rig, wordsInARow(4, 0), 2000));
      }
      await told(rig, said);
      assertTold(rig, said, toleranceMs);
      assert.deepEqual(
        rig.events.filter(({ event }) => event === 'dropped'),
        [],
      );
    }));

  it('goes on trying where it closes at once, or never answers', () =>
    within(options, async ({ rig, standIn }) => {
      standIn.behaviour = saysReady ? 'silent' : 'closing';
      const said = say(rig, wordsInARow(2, 0), 500);
      await called(rig, standIn, 2);
      standIn.behaviour = 'closing';
      await called(rig, standIn, 5);
      standIn.behaviour = 'working';
      await told(rig, said);
      assertTold(rig, said, toleranceMs);
      assert.deepEqual(
        rig.errors.map(({ code }) => code),
        ['ORGO_SERVICE_FAILED'],
      );
    }));
}

/** Declares the test of an answer that is too large: what keeps it out is the same for every service. */
export function itBearsLargeAnswers(options: TrialOptions): void {
  it('drops a connection on which 10 MB are answered, and has each word once from the next', () =>
    within(options, async ({ rig, standIn }) => {
      await connected(rig);
      const said = say(rig, wordsInARow(3, 100));
      standIn.caller?.socket.send(JSON.stringify({ type: 'x'.repeat(TOO_LARGE_BYTES) }));
      await rig.until(() => rig.errors.length > 0);
      await told(rig, said);
      assertTold(rig, said, options.toleranceMs);
      assert.match(rig.errors[0]?.message ?? '', /broke the WebSocket protocol: Max payload size exceeded/);
    }));
}

interface Trial {
  readonly rig: SessionRig;
  readonly standIn: WebSocketStandIn;
}

async function within(options: TrialOptions, run: (trial: Trial) => Promise<void>): Promise<void> {
  const { service, start, entered = {}, maxBufferMs = 30_000 } = options;
  const clock = new FakeClock();
  const standIn = await start(clock);
  const rig = new SessionRig({ service, standIn, clock, entered, maxBufferMs, timeoutMs: TIMEOUT_MS });
  try {
    await run({ rig, standIn });
    assert.deepEqual(standIn.violations, []);
  } finally {
    rig.session.close();
    await standIn.stop();
  }
}

/** Says `words`, and is silent for a while. Returns the words at their times since the stream began. */
function say(rig: SessionRig, words: readonly SpokenWord[], pauseMs = PAUSE_MS): SpokenWord[] {
  const beganMs = (rig.position * 1000) / FORMAT.sampleRate;
  rig.hear(speech(FORMAT.sampleRate, words, (words.at(-1)?.endMs ?? 0) + pauseMs), FORMAT);
  return words.map((word) => ({
    ...word,
    startMs: word.startMs + beganMs,
    endMs: word.endMs + beganMs,
  }));
}

/** Lets the clock go on, with sound that is silent, until so many words left as were said. */
async function told(rig: SessionRig, said: readonly SpokenWord[]): Promise<void> {
  const count = (): number => rig.words.reduce((sum, { text }) => sum + text.split(' ').length, 0);
  while (count() < said.length) {
    say(rig, [], STEP_MS);
    await turn();
  }
}

async function connected(rig: SessionRig): Promise<void> {
  say(rig, [], 100);
  await rig.until(() => rig.session.state.kind === 'connected');
}

/** Lets the clock go on until the session has connected so often. */
async function called(rig: SessionRig, standIn: WebSocketStandIn, times: number): Promise<void> {
  while (standIn.callers.length < times) {
    say(rig, [], STEP_MS);
    await turn();
  }
}

/** Fails unless these words left, in order, those of one message between its times; and each at its own, where it has one. */
export function assertTold(rig: SessionRig, said: readonly SpokenWord[], toleranceMs = 5): void {
  const texts = rig.words.map(({ text }) => text.split(' '));
  assert.deepEqual(
    texts.flat(),
    said.map(({ text }) => text),
  );
  let at = 0;
  for (const [i, { transcript }] of rig.words.entries()) {
    const words = said.slice(at, (at += texts[i]?.length ?? 0));
    const off = [
      transcript.startTime - rig.startTime - (words[0]?.startMs ?? 0),
      transcript.endTime - rig.startTime - (words.at(-1)?.endMs ?? 0),
    ];
    assert.ok(
      off.every((ms) => Math.abs(ms) <= toleranceMs),
      `${words.map(({ text }) => text).join(' ')}: off by ${off.join(' and ')} ms`,
    );
  }
  if (rig.words.some(({ transcript }) => transcript.words)) rig.assertWords(said, toleranceMs);
}
