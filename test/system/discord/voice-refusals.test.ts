/** What a stand-in Discord refuses: one clear error each, and no storm. */
import assert from 'node:assert/strict';
import { describeWith, needs } from '../../support/needs';
import {
  BOT,
  ELSEWHERE,
  GUILD,
  OTHER_GUILD,
  OTHER_VOICE,
  TEXT,
  TOKEN,
  type StandIn,
} from '../../discord/support/stand-in';
import { VoiceRig, withVoice } from '../../discord/support/voice-rig';

/** A second of waiting takes 50 ms; what the voice says of it stays the same. */
const HURRIED = { hurry: 20 };

describeWith(needs('node24-discord'), 'what Discord refuses', ({ test }) => {
  const cases = [
    {
      name: 'a wrong token',
      tries: 2,
      prepare: () => ({ token: 'wrong.token' }),
      code: 'ORGO_BAD_TOKEN',
      text: /developer portal/,
    },
    {
      name: 'a text channel',
      tries: 1,
      prepare: () => ({ channelId: TEXT }),
      code: 'ORGO_DISCORD_NO_CHANNEL',
      text: /text channel/,
    },
    {
      name: "another guild's channel",
      tries: 1,
      prepare: () => ({ channelId: ELSEWHERE }),
      code: 'ORGO_DISCORD_NO_CHANNEL',
      text: /belongs to the guild/,
    },
    {
      name: 'an unknown channel',
      tries: 1,
      prepare: () => ({ channelId: '299999999999999999' }),
      code: 'ORGO_DISCORD_NO_CHANNEL',
      text: /knows no channel/,
    },
    {
      name: 'a guild without the bot',
      tries: 1,
      prepare: () => ({ guildId: '199999999999999999' }),
      code: 'ORGO_DISCORD_FORBIDDEN',
      text: /no member/,
    },
    {
      name: 'a missing permission',
      tries: 1,
      prepare: (discord: StandIn) => {
        discord.gateway.settings.channels[0]!.permission_overwrites = [
          { id: GUILD, type: 0, allow: '0', deny: String(1n << 21n) },
        ];
        return {};
      },
      code: 'ORGO_DISCORD_FORBIDDEN',
      text: /permission Speak/,
    },
    {
      name: 'a voice server that wants an encryption that we lack (4017)',
      tries: 2,
      prepare: (discord: StandIn) => {
        discord.voice.settings.refuseWith = 4017;
        return {};
      },
      code: 'ORGO_DISCORD_FAILED',
      text: /4017/,
    },
    {
      name: 'a voice server that closes with 4004',
      tries: 1,
      prepare: (discord: StandIn) => {
        discord.voice.settings.refuseWith = 4004;
        return {};
      },
      code: 'ORGO_DISCORD_FAILED',
      text: /4004/,
    },
    {
      name: 'a gateway that closes with 4004',
      tries: 2,
      prepare: (discord: StandIn) => {
        discord.gateway.settings.refuseWith = 4004;
        return {};
      },
      code: 'ORGO_BAD_TOKEN',
      text: /does not accept/,
    },
  ] as const;

  for (const { name, prepare, code, text, tries } of cases) {
    test(`${name} is one clear error, and tried again without a storm`, async () => {
      await withVoice(
        { daveVersion: 0 },
        async (rig, discord) => {
          rig.voice.join();
          const waits = (): number[] =>
            rig.states.flatMap((state) => (state.kind === 'waiting' ? [state.retryInMs] : []));
          // The same trouble is met again, and not told again.
          await rig.until('the waits', () => waits().length === tries);
          assert.deepEqual(waits(), [1000, 2000].slice(0, tries));
          assert.deepEqual(
            rig.errors.map((error) => error.code),
            [code],
          );
          assert.match(rig.errors[0]!.message, text);
          assert.ok(!JSON.stringify([rig.states, rig.events, rig.errors.map(String)]).includes(TOKEN));
          assert.ok(discord.gateway.identifies.length <= tries);
          assert.ok(discord.voice.identifies.length <= tries);
        },
        prepare,
        HURRIED,
      );
    });
  }

  test('a token revoked while it speaks is told, and retried with backoff', async () => {
    await withVoice({ daveVersion: 0 }, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      discord.gateway.settings.tokens.clear();
      discord.gateway.sessionOf(BOT).socket?.close(4004);
      const { error } = await rig.state('waiting');
      assert.equal(error.code, 'ORGO_BAD_TOKEN');
    });
  });

  for (const [silent, text] of [
    ['everywhere', /did not answer in time/],
    ['at-connect', /took longer than 0\.4 s/],
    ['at-login', /took longer than 0\.4 s/],
  ] as const) {
    test(`a Discord that answers nothing ${silent.replace('-', ' ')} is told, and tried again`, async () => {
      await withVoice(
        { daveVersion: 0 },
        async (rig) => {
          rig.voice.join();
          const { error } = await rig.state('waiting');
          assert.equal(error.code, 'ORGO_DISCORD_FAILED');
          assert.match(error.message, text);
        },
        (discord) => {
          discord.gateway.settings.silent = silent;
          return {};
        },
        { timeouts: { answerMs: silent === 'everywhere' ? 100 : 10_000, loginMs: 400 } },
      );
    });
  }

  for (const silent of ['everywhere', 'at-keys'] as const) {
    test(`a voice server that says nothing ${silent.replace('-', ' ')} is told, and tried again`, async () => {
      await withVoice(
        { daveVersion: 0, silent },
        async (rig) => {
          rig.voice.join();
          const { error } = await rig.state('waiting');
          assert.match(error.message, /did not let the bot into the voice channel within 0\.4 s/);
        },
        () => ({}),
        { timeouts: { joinMs: 400 } },
      );
    });
  }

  test('429 is shown and obeyed: nothing is asked before its retry_after', async () => {
    await withVoice(
      { daveVersion: 0 },
      async (rig, discord) => {
        rig.voice.join();
        await rig.state('ready');
        const [first, second] = discord.gateway.requests.filter(({ path }) => path === '/gateway/bot');
        assert.ok(second!.at - first!.at >= 500, `${second!.at - first!.at} ms`);
        const { reason, retryInMs } = await rig.event('reconnecting');
        assert.match(reason, /429/);
        assert.ok(retryInMs! >= 500, `${retryInMs} ms`);
        assert.ok(rig.states.some((state) => state.kind === 'reconnecting' && /429/.test(state.why)));
        assert.deepEqual(rig.errors, []);
      },
      (discord) => {
        discord.gateway.settings.rateLimit = { times: 1, retryAfterS: 0.5 };
        return {};
      },
    );
  });

  test('the same bot in two guilds has a voice in each, and both are heard', async () => {
    await withVoice({ daveVersion: 0 }, async (rig, discord) => {
      const other = new VoiceRig(discord, { guildId: OTHER_GUILD, channelId: ELSEWHERE });
      for (const each of [rig, other]) each.voice.join();
      for (const each of [rig, other]) await each.state('ready');
      for (const each of [rig, other]) each.say(0.2);
      const packets = (guildId: string): number =>
        discord.voice.clients.find(({ serverId }) => serverId === guildId)?.received.length ?? 0;
      await rig.until('sound in both', () => packets(GUILD) >= 10 && packets(OTHER_GUILD) >= 10);
      assert.deepEqual([...rig.errors, ...other.errors], []);
      await other.voice.close();
    });
  });

  test('the same bot in the same guild twice: the second says so, and the first goes on', async () => {
    await withVoice({ daveVersion: 0 }, async (rig, discord) => {
      rig.voice.join();
      const second = new VoiceRig(discord, { channelId: OTHER_VOICE });
      second.voice.join();
      const { error } = await second.state('unusable');
      assert.equal(error.code, 'ORGO_DISCORD_IN_USE');
      await rig.state('ready');
      await second.voice.close();
    });
  });
});
