/** Settings, close codes, log-in waits, missing packages: what needs no Discord. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import type { Clock } from '../../src/audio/clock';
import { checkIds } from '../../src/discord/channel-check';
import { claimVoice } from '../../src/discord/claims';
import { DiscordVoice } from '../../src/discord/discord-voice';
import { failureOf } from '../../src/discord/failure';
import { Frequent } from '../../src/audio/frequent';
import { loadLibraries } from '../../src/discord/libraries';
import { SpeakingOrder } from '../../src/discord/speaking-order';
import { actionFor } from '../../src/discord/voice-close';
import { withDefaults } from '../../src/discord/voice-settings';
import { VoiceStream } from '../../src/discord/voice-stream';
import { fakeRelay } from './support/fake-relay';
import { sound } from './support/simulation';

const GOOD = { token: 'a.b.c', guildId: '100000000000000001', channelId: '200000000000000001' };

const OPUS = { encoding: 'opus', sampleRate: 48000, channels: 2 } as const;
/** CELT, full band, 20 ms, stereo, one frame. */
const PACKET = Buffer.from([0xfc, ...new Array<number>(60).fill(7)]);

function refuses(change: object, text: RegExp): void {
  assert.throws(
    () => withDefaults({ ...GOOD, ...change }),
    (error) => error instanceof OrgoError && error.code === 'ORGO_BAD_SETTING' && text.test(error.message),
  );
}

describe('the settings', () => {
  test('have the defaults of the contract', () => {
    const { maxQueueMs, bitrate, apiUrl } = withDefaults(GOOD);
    assert.deepEqual([maxQueueMs, bitrate, apiUrl], [160, 64000, 'https://discord.com/api']);
  });

  test('that are wrong are named with their value', () => {
    refuses({ token: ' ' }, /token is missing/);
    for (const id of ['', 'general', '12345', '1e17', '-100000000000000001', '012345678901234567'])
      refuses({ channelId: id }, /channelId is .*17 to 20 digits/);
    refuses({ guildId: 'x' }, /guildId is "x"/);
    refuses({ bitrate: 5 }, /bitrate is 5/);
    for (const maxQueueMs of [0, Number.NaN, 1e9]) refuses({ maxQueueMs }, /maxQueueMs is/);
    refuses({ apiUrl: 'discord.com' }, /apiUrl is "discord.com"/);
  });

  test('are checked before a move too', () => {
    assert.throws(() => checkIds({ guildId: GOOD.guildId, channelId: 'x' }), /Copy ID/);
  });
});

describe('the packages that are missing', () => {
  test('are named, with the command that installs them', () => {
    const load = createRequire('/nonexistent/x.js');
    assert.throws(
      () => loadLibraries('24.1.0', load),
      (error) =>
        error instanceof OrgoError &&
        error.code === 'ORGO_DISCORD_UNAVAILABLE' &&
        /npm install @discordjs\/voice@~0\.19\.2 @discordjs\/ws/.test(error.message),
    );
  });

  test('are not asked of a Node that is too old: it is named first', () => {
    for (const version of ['20.20.2', '22.11.0'])
      assert.throws(() => loadLibraries(version), new RegExp(`Node.js ${version} runs here.*22.12 or newer`));
  });

  test('make a voice unusable until settings change, without another try', async () => {
    const kinds: string[] = [];
    const errors: OrgoError[] = [];
    let unusable = (): void => undefined;
    const told = new Promise<void>((resolve) => (unusable = resolve));
    const voice = new DiscordVoice(GOOD, {
      onState: ({ kind }) => {
        kinds.push(kind);
        if (kind === 'unusable') unusable();
      },
      onEvent: () => undefined,
      onError: (error) => errors.push(error),
    });
    voice.join();
    await told;
    assert.equal(errors[0]?.code, 'ORGO_DISCORD_UNAVAILABLE');
    assert.deepEqual(kinds, ['connecting', 'unusable']);
    await voice.close();
    assert.equal(errors.length, 1);
  });
});

test('the token is in nothing that a voice says, whatever the relay says', async () => {
  const failure = { code: 'ORGO_DISCORD_FAILED', then: 'retry', text: `Bot ${GOOD.token} broke` } as const;
  const said: unknown[] = [];
  const voice = await new Promise<DiscordVoice>((resolve) => {
    const failing: DiscordVoice = new DiscordVoice(
      GOOD,
      {
        onState: (state) => said.push(state),
        onEvent: (event) => said.push(event),
        onError: (error) => {
          said.push(error.message);
          resolve(failing);
        },
      },
      { program: fakeRelay({ failure }) },
    );
    failing.join();
  });
  await voice.close();
  assert.match(JSON.stringify(said), /Bot \*\*\* broke/);
  assert.ok(!JSON.stringify(said).includes(GOOD.token));
});

test('close codes: come back, stay out, or start over after a pause', () => {
  const kinds = [1000, 1006, 4006, 4009, 4014, 4015, 4021, 4022, 4004, 4017, 4011].map(
    (code) => actionFor(code).kind,
  );
  const [recover, out, fail] = ['recover', 'out', 'fail'];
  assert.deepEqual(kinds, [
    recover,
    recover,
    recover,
    recover,
    'moved-or-kicked',
    recover,
    out,
    out,
    fail,
    fail,
    fail,
  ]);
});

test('a bot has one voice in each guild', () => {
  const release = claimVoice('t', '1');
  assert.equal(claimVoice('t', '1'), undefined);
  claimVoice('t', '2')?.();
  release?.();
  const again = claimVoice('t', '1');
  assert.notEqual(again, undefined);
  again?.();
});

test('what happens too often is told, and forgotten in time', () => {
  let now = 0;
  const clock: Clock = { now: () => now, epochOffset: () => 0, after: () => () => undefined };
  const frequent = new Frequent(2, 1000, clock);
  assert.deepEqual([frequent.add(), frequent.add(), frequent.add()], [false, false, true]);
  now = 1500;
  assert.equal(frequent.add(), false);
});

test('failures are retried, but for those that trying does not change', () => {
  assert.equal(failureOf(Object.assign(new Error('401'), { status: 401 })).code, 'ORGO_BAD_TOKEN');
  assert.equal(failureOf(new OrgoError('ORGO_DISCORD_UNAVAILABLE', 'x')).then, 'never');
  assert.equal(failureOf(new OrgoError('ORGO_DISCORD_NO_CHANNEL', 'x')).then, 'retry');
  const aborted = Object.assign(new Error('This operation was aborted'), { name: 'AbortError' });
  assert.match(failureOf(aborted).text, /did not answer in time/);
});

test('two live streams do not speak at once', () => {
  const order = new SpeakingOrder();
  const stream = (isLive: boolean): Parameters<SpeakingOrder['admit']>[1] =>
    ({ isLive, onReport: () => undefined }) as unknown as Parameters<SpeakingOrder['admit']>[1];
  const [first, second] = [stream(true), stream(true)];
  const packets = [sound(0)];
  assert.equal(order.admit(packets, first, 0), 'spoken');
  assert.equal(order.admit(packets, second, 500), 'other-speaks');
  assert.equal(order.admit(packets, second, 1500), 'spoken');
  assert.equal(order.end(first), false);
  assert.equal(order.end(second), true);
});

test('of a recording of two hours ten minutes are spoken; the rest is refused once, and not encoded', () => {
  const order = new SpeakingOrder();
  let given = 0;
  let refusals = 0;
  const stream: VoiceStream = new VoiceStream(
    { bitrate: 64_000, live: false },
    {
      get refusesRecordings() {
        return order.refusesRecordings;
      },
      speak: (packets, from) => {
        const spoken = order.admit(packets, from, 0);
        if (spoken === 'spoken') given += packets.length;
        return spoken;
      },
      ended: () => undefined,
    },
  );
  const say = (packets: number): void => {
    for (let n = 0; n < packets; n++) {
      try {
        stream.push({ format: OPUS, data: PACKET, samples: 960, position: 0, time: 0, gap: 0, latencyMs: 0 });
      } catch (error) {
        assert.match((error as Error).message, /more than 10 minutes/);
        refusals++;
      }
    }
  };
  const report = (recorded: number, recordingMs: number): void =>
    order.onReport({ ...{ recorded, recordingMs, targetMs: 40 }, driftPpm: undefined, waitMs: undefined });
  const [hour, tenMinutes] = [180_000, 30_000];
  say(hour);
  // Told before anything had come to the relay: all of it is on the way.
  report(0, 0);
  say(hour / 2);
  // A hole would be heard, if more were taken as soon as there is a little room.
  report(tenMinutes, 599_000);
  say(hour / 2);
  assert.deepEqual([given, refusals], [tenMinutes, 1]);
  report(tenMinutes, 0);
  say(1);
  assert.deepEqual([given, refusals], [tenMinutes + 1, 1]);
});
