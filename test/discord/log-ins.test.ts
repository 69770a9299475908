/** How often a bot logs in: soon after a failure, and never so often in a day that Discord would reset its token. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { after, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { wordsFor } from '../../nodes/orgo-discord-voice/voice-words';
import { DiscordVoice, type VoiceState } from '../../src/discord/discord-voice';
import { GatewayLogin } from '../../src/discord/gateway-login';
import type { DiscordLibraries } from '../../src/discord/libraries';
import type { RelayFailure } from '../../src/discord/relay-messages';
import { RELAY_TIMEOUTS } from '../../src/discord/relay-timeouts';
import { FakeClock } from '../nodes/fake-clock';
import { fakeRelay } from './support/fake-relay';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Turns of the event loop in which the fake relay starts, fails and ends. */
const TURNS = 6;
const FAILURE: RelayFailure = { code: 'ORGO_BAD_TOKEN', text: 'Not this token', then: 'retry' };

/** Voices of one bot whose every log-in fails, on a clock that the test turns. */
class Rig {
  readonly clock = new FakeClock();
  readonly logIns: number[] = [];
  readonly states: VoiceState[] = [];
  readonly errors: string[] = [];
  private readonly voices: DiscordVoice[] = [];

  constructor(
    private readonly token: string,
    private readonly failure = FAILURE,
  ) {
    after(() => Promise.all(this.voices.map((voice) => voice.close())));
  }

  join(guildId = '100000000000000001'): DiscordVoice {
    const voice = new DiscordVoice(
      { token: this.token, guildId, channelId: '200000000000000001' },
      {
        onState: (state) => {
          this.states.push(state);
          if (state.kind === 'connecting' && state.step === 'starting') this.logIns.push(this.clock.now());
        },
        onEvent: () => undefined,
        onError: (error) => this.errors.push(error.message),
      },
      { clock: this.clock, random: () => 1, program: fakeRelay({ failure: this.failure }) },
    );
    this.voices.push(voice);
    voice.join();
    return voice;
  }

  /** Lets the relays do what they do at once. */
  async settle(): Promise<void> {
    for (let i = 0; i < TURNS; i++) await turn();
  }

  async run(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    await this.settle();
    for (;;) {
      const { nextIn = Infinity } = this.clock;
      if (this.clock.now() + nextIn > end) break;
      this.clock.advance(nextIn);
      await this.settle();
    }
    this.clock.advance(end - this.clock.now());
  }

  /** The most log-ins in any 24 hours. */
  get mostInADay(): number {
    let first = 0;
    let most = 0;
    for (const [index, at] of this.logIns.entries()) {
      while (at - (this.logIns[first] ?? at) >= DAY_MS) first++;
      most = Math.max(most, index - first + 1);
    }
    return most;
  }
}

describe('a log-in that fails', () => {
  test('comes again after 1 to 60 s; after 400 in a day every four minutes, and says so once', async () => {
    const rig = new Rig('fails for days');
    rig.join();
    await rig.run(3 * DAY_MS);
    const waits = rig.logIns.slice(1).map((at, i) => (at - (rig.logIns[i] ?? 0)) / 1000);
    assert.deepEqual(waits.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
    assert.equal(Math.max(...waits), 240);
    assert.ok(rig.mostInADay <= 760, `${rig.mostInADay} in 24 hours`);
    assert.ok(
      rig.logIns.length > 1400,
      `${rig.logIns.length} in three days: the bot must not stay out either`,
    );
    const [plain, slowed, ...more] = rig.errors;
    assert.equal(plain, 'Not this token');
    assert.match(slowed ?? '', /^Not this token\. The bot has logged in 400 times .* once in 4 minutes now$/);
    assert.deepEqual(more, []);
    const isSlow = (state: VoiceState): boolean => state.kind === 'waiting' && state.isSlowed;
    const words = new Set(rig.states.filter(isSlow).map((state) => wordsFor(state).join(' ')));
    assert.deepEqual([...words], ['error many-log-ins']);
  });

  test('counts for the bot: its voices in several servers share the bound', async () => {
    const rig = new Rig('speaks in three servers');
    for (const guildId of ['100000000000000001', '100000000000000002', '100000000000000003'])
      rig.join(guildId);
    await rig.run(1.5 * DAY_MS);
    assert.ok(rig.mostInADay <= 760 && rig.mostInADay > 700, `${rig.mostInADay} in 24 hours`);
  });
});

test('a flow that sends join again and again is bound too, and is told why the bot does not come', async () => {
  const rig = new Rig('is told to join', { ...FAILURE, then: 'out' });
  const voice = rig.join();
  for (let i = 0; i < 2000; i++) {
    await rig.settle();
    rig.clock.advance(1000);
    voice.join();
  }
  assert.ok(rig.logIns.length <= 410 && rig.logIns.length >= 400, `${rig.logIns.length}`);
  const { state } = voice;
  assert.ok(state.kind === 'waiting' && state.isSlowed && state.retryInMs <= 240_000, JSON.stringify(state));
  assert.match(state.error.message, /^The bot has logged in 400 times in 24 hours, and Discord allows 1,000/);
});

test('a session that the gateway does not resume is a log-in: the sixth of them in an hour is the last', () => {
  const gateway = Object.assign(new EventEmitter(), { connect: () => Promise.resolve() });
  const libraries = {
    rest: { REST: FakeRest },
    gateway: {
      WebSocketManager: function () {
        return gateway;
      },
    },
  } as unknown as DiscordLibraries;
  const clock = new FakeClock();
  const seen: string[] = [];
  const none = (): void => undefined;
  const login = new GatewayLogin(libraries, { token: 'a.b.c', apiUrl: '', timeouts: RELAY_TIMEOUTS }, clock, {
    ...{ dispatch: none, closed: none, resumed: none, rateLimited: none },
    renewed: () => seen.push('renewed'),
    failed: (thrown) => seen.push(String(thrown)),
  });
  void login.connect();
  const greet = (times: number): string[] => {
    seen.length = 0;
    for (let i = 0; i < times; i++) gateway.emit('dispatch', { t: 'READY', d: { user: {}, guilds: [] } });
    return [...seen];
  };
  assert.deepEqual(greet(1), [], 'the first one was asked for');
  const five = new Array<string>(5).fill('renewed');
  assert.deepEqual(greet(5), five);
  clock.advance(HOUR_MS);
  seen.length = 0;
  assert.deepEqual(greet(5), five);
  assert.deepEqual(greet(1), ['renewed', 'Error: the gateway ended the session again and again']);
});

class FakeRest {
  setToken(): this {
    return this;
  }
}
