/** The voice at a stand-in Discord, through Discord's own libraries: sound, encryption, life, and every refusal. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DiscordVoice } from '../../src/discord/discord-voice';
import { SILENCE_FRAME } from '../../src/discord/sound-packet';
import { chooseLibrary } from '../../src/opus/choose-library';
import { OpusCodec } from '../../src/opus/codec';
import { channelOf, measureTone } from '../support/tone';
import { installNewerNode } from './support/newer-node';
import {
  BOT,
  ELSEWHERE,
  GUILD,
  LISTENERS,
  OTHER_VOICE,
  StandIn,
  TEXT,
  TOKEN,
  VOICE,
  type Heard,
} from './support/stand-in';
import type { Mode } from './support/transport-encryption';
import type { VoiceSettings } from './support/voice-server';
import { HZ, RATE, VoiceRig } from './support/voice-rig';

const obstacle = installNewerNode();
const options = { skip: obstacle ?? false };

/** Runs `body` with a stand-in Discord and a voice at it, and ends both. */
async function withVoice(
  settings: Partial<VoiceSettings>,
  body: (rig: VoiceRig, discord: StandIn) => Promise<void>,
  prepare: (discord: StandIn) => Partial<ConstructorParameters<typeof DiscordVoice>[0]> = () => ({}),
): Promise<void> {
  const discord = await StandIn.start(settings);
  const rig = new VoiceRig(discord, prepare(discord));
  try {
    await body(rig, discord);
  } finally {
    await rig.voice.close();
    await discord.stop();
  }
}

/** What a listener heard, decoded, without the silence at the end. */
function heardTone(heard: readonly Heard[]): { amplitude: number; packets: number } {
  const packets = heard.map(({ packet }) => packet).filter((packet) => !packet.equals(SILENCE_FRAME));
  const codec = new OpusCodec(chooseLibrary(), RATE, 2);
  const pcm = Buffer.concat(packets.map((packet) => codec.decode(packet)));
  codec.close();
  const sound = channelOf(pcm, 2);
  const { amplitude } = measureTone(sound, { hz: HZ, sampleRate: RATE }, 4800, sound.length - 4800);
  return { amplitude, packets: packets.length };
}

const silent = (heard: readonly Heard[]): number =>
  heard.filter(({ packet }) => packet.equals(SILENCE_FRAME)).length;

describe('a voice in a channel', options, () => {
  for (const mode of ['aead_aes256_gcm_rtpsize', 'aead_xchacha20_poly1305_rtpsize'] as Mode[]) {
    test(`is heard by two real clients, end-to-end encrypted, over ${mode}`, async () => {
      await withVoice({ modes: [mode] }, async (rig, discord) => {
        rig.voice.join();
        const alone = await rig.state('securing');
        assert.equal(alone.channelId, VOICE);
        const listeners = await Promise.all(LISTENERS.map((userId) => discord.listen(userId)));
        await rig.state('encrypted');
        // Both are in the group: two transitions, or one that added both.
        await rig.until(() => discord.voice.group.size === 3);
        rig.say(1);
        await rig.until(() => listeners.every(({ heard }) => silent(heard) >= 5));
        for (const { heard, errors } of listeners) {
          const { amplitude, packets } = heardTone(heard);
          assert.deepEqual(errors, []);
          assert.ok(packets >= 50 && packets <= 52, `${packets} packets`);
          assert.ok(Math.abs(amplitude - 0.25) < 0.01, `amplitude ${amplitude}`);
        }
        // On the wire nothing but silence was plain.
        const sent = discord.voice.receivedFrom(BOT).map(({ payload }) => payload);
        const sealed = sent.filter((payload) => payload.subarray(-2).toString('hex') === 'fafa');
        assert.equal(sealed.length, sent.filter((payload) => !payload.equals(SILENCE_FRAME)).length);
        assert.deepEqual(discord.voice.violations, []);
        assert.deepEqual(rig.errors, []);
      });
    });
  }

  test('sends nothing of the flow while it is alone and encryption is required', async () => {
    await withVoice({}, async (rig, discord) => {
      rig.voice.join();
      await rig.state('securing');
      const stream = rig.voice.openStream('live');
      const format = { encoding: 'opus', sampleRate: RATE, channels: 2 } as const;
      const data = Buffer.alloc(60, 0xfc);
      stream.push({ format, data, samples: 960, position: 0, time: 0, gap: 0, latencyMs: 0 });
      await rig.until(() => rig.voice.stats?.dropped === 1);
      assert.deepEqual(discord.voice.receivedFrom(BOT), []);
    });
  });

  test('speaks plainly, and says so, where the server offers no encryption', async () => {
    await withVoice({ daveVersion: 0 }, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      rig.say(0.5);
      await rig.until(() => discord.voice.receivedFrom(BOT).length >= 30);
      assert.ok(!rig.states.some(({ kind }) => kind === 'encrypted'));
      const received = discord.voice.receivedFrom(BOT);
      const { amplitude } = heardTone(received.map(({ at, payload }) => ({ at, packet: payload })));
      assert.ok(Math.abs(amplitude - 0.25) < 0.01, `amplitude ${amplitude}`);
      await rig.until(() => discord.voice.clientOf(BOT).speaking.at(-1)?.on === false);
      assert.deepEqual(
        discord.voice.clientOf(BOT).speaking.map(({ on }) => on),
        [true, false],
      );
      assert.deepEqual(discord.voice.violations, []);
    });
  });

  test('loses at most 100 ms when someone joins or leaves the encrypted group', async () => {
    await withVoice({}, async (rig, discord) => {
      rig.voice.join();
      const staying = await discord.listen(LISTENERS[0]);
      await rig.state('encrypted');
      rig.say(60);
      await rig.until(() => staying.heard.length >= 50);
      const coming = await discord.listen(LISTENERS[1]);
      await rig.until(() => coming.heard.length >= 50);
      await coming.leave();
      await rig.until(() => discord.voice.group.size === 2 && discord.voice.group.isSettled);
      const mark = staying.heard.length;
      await rig.until(() => staying.heard.length >= mark + 50);
      const sent = discord.voice.receivedFrom(BOT).length;
      const lost = sent - staying.heard.length;
      assert.ok(lost <= 5 + inTransit, `${lost} of ${sent} packets lost`);
      assert.deepEqual(staying.errors, []);
      assert.equal(rig.states.filter(({ kind }) => kind === 'encrypted').length, 1);
    });
  });

  test('is passed on where packets are lost, with sequence and time unbroken', async () => {
    await withVoice({ loss: 0.2 }, async (rig, discord) => {
      rig.voice.join();
      const listener = await discord.listen(LISTENERS[0]);
      await rig.state('encrypted');
      rig.say(1);
      await rig.until(() => discord.voice.clientOf(BOT).speaking.at(-1)?.on === false);
      assert.ok(listener.heard.length < 57);
      assert.deepEqual(listener.errors, []);
      assert.deepEqual(discord.voice.violations, []);
    });
  });
});

/** Packets that may be between the server and the listener's report. */
const inTransit = 2;

describe('life in Discord', options, () => {
  const plain = { daveVersion: 0 } as const;

  test('moves when told to, and follows when it is dragged', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      rig.voice.move(OTHER_VOICE);
      const moved = await rig.event('moved');
      assert.deepEqual([moved.from, moved.to], [VOICE, OTHER_VOICE]);
      await rig.until(() => rig.voice.state.kind === 'ready' && rig.voice.state.channelId === OTHER_VOICE);
      discord.gateway.place(discord.gateway.sessionOf(BOT), VOICE);
      await rig.until(() => rig.voice.state.kind === 'ready' && rig.voice.state.channelId === VOICE);
      rig.say(0.2);
      const before = discord.voice.receivedFrom(BOT).length;
      await rig.until(() => discord.voice.receivedFrom(BOT).length >= before + 10);
      assert.deepEqual(rig.errors, []);
    });
  });

  test('refuses to move to a text channel, says why, and stays', async () => {
    await withVoice(plain, async (rig) => {
      rig.voice.join();
      await rig.state('ready');
      rig.voice.move(TEXT);
      await rig.until(() => rig.errors.length > 0);
      assert.equal(rig.errors[0]?.code, 'ORGO_DISCORD_NO_CHANNEL');
      assert.match(rig.errors[0].message, /chat is a text channel/);
      assert.deepEqual(rig.voice.state, { kind: 'ready', channelId: VOICE });
    });
  });

  test('stays out after a kick until told to join again', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      discord.gateway.place(discord.gateway.sessionOf(BOT), null);
      await rig.state('kicked');
      await rig.event('kicked');
      assert.equal(discord.gateway.identifies.length, 1);
      rig.voice.join();
      await rig.state('ready');
      assert.equal(discord.gateway.identifies.length, 2);
    });
  });

  for (const code of [4014, 4021, 4022]) {
    test(`stays out after ${code}`, async () => {
      await withVoice(plain, async (rig, discord) => {
        rig.voice.join();
        await rig.state('ready');
        discord.voice.clientOf(BOT).socket.close(code);
        const { error } = await rig.state('kicked');
        assert.match(error.message, new RegExp(String(code)));
        assert.equal((await rig.event('kicked')).code, code);
        assert.equal(discord.voice.identifies.length, 1);
        assert.equal(rig.errors.length, 1);
      });
    });
  }

  for (const [code, counted] of [
    [4006, 'identifies'],
    [4015, 'resumes'],
    [1006, 'resumes'],
  ] as const) {
    test(`comes back after ${code}`, async () => {
      await withVoice(plain, async (rig, discord) => {
        rig.voice.join();
        await rig.state('ready');
        const { socket } = discord.voice.clientOf(BOT);
        const before = discord.voice[counted].length;
        if (code === 1006) socket.terminate();
        else socket.close(code);
        await rig.event('reconnecting');
        await rig.state('ready');
        assert.equal(discord.voice[counted].length, before + 1);
        assert.deepEqual(rig.errors, []);
        const received = discord.voice.receivedFrom(BOT).length;
        rig.say(0.2);
        await rig.until(() => discord.voice.receivedFrom(BOT).length >= received + 10);
      });
    });
  }

  test('follows a change of the voice server', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      discord.gateway.sendVoiceServer(discord.gateway.sessionOf(BOT));
      await rig.until(() => discord.voice.identifies.length === 2);
      await rig.event('reconnecting');
      await rig.state('ready');
      rig.say(0.2);
      await rig.until(() => discord.voice.receivedFrom(BOT).length >= 10);
    });
  });

  test('resumes the main gateway, and stays in the channel meanwhile', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      discord.gateway.sessionOf(BOT).socket?.close(4000);
      await rig.until(() => discord.gateway.resumes.length === 1);
      await rig.state('ready');
      assert.equal(discord.gateway.identifies.length, 1);
      assert.equal(discord.voice.identifies.length, 1);
    });
  });

  test('leaves when told to, and joins again', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      await rig.voice.leave();
      assert.deepEqual(rig.voice.state, { kind: 'left' });
      assert.equal((await rig.event('left')).channelId, VOICE);
      assert.equal(rig.voice.relayPid, undefined);
      await rig.until(() => discord.voice.clients.length === 0);
      rig.voice.join();
      await rig.state('ready');
    });
  });

  test('can be closed while it joins, and the next voice joins at once', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('connecting');
      await rig.voice.close();
      assert.deepEqual(rig.voice.state, { kind: 'closed' });
      const next = new VoiceRig(discord);
      next.voice.join();
      await next.state('ready');
      await next.voice.close();
    });
  });
});

describe('what Discord refuses', options, () => {
  const cases = [
    {
      name: 'a wrong token',
      prepare: () => ({ token: 'wrong.token' }),
      code: 'ORGO_BAD_TOKEN',
      text: /developer portal/,
    },
    {
      name: 'a text channel',
      prepare: () => ({ channelId: TEXT }),
      code: 'ORGO_DISCORD_NO_CHANNEL',
      text: /text channel/,
    },
    {
      name: "another guild's channel",
      prepare: () => ({ channelId: ELSEWHERE }),
      code: 'ORGO_DISCORD_NO_CHANNEL',
      text: /belongs to the guild/,
    },
    {
      name: 'an unknown channel',
      prepare: () => ({ channelId: '299999999999999999' }),
      code: 'ORGO_DISCORD_NO_CHANNEL',
      text: /knows no channel/,
    },
    {
      name: 'a guild without the bot',
      prepare: () => ({ guildId: '199999999999999999' }),
      code: 'ORGO_DISCORD_FORBIDDEN',
      text: /no member/,
    },
    {
      name: 'a missing permission',
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
      prepare: (discord: StandIn) => {
        discord.voice.settings.refuseWith = 4017;
        return {};
      },
      code: 'ORGO_DISCORD_FAILED',
      text: /4017/,
    },
    {
      name: 'a voice server that closes with 4004',
      prepare: (discord: StandIn) => {
        discord.voice.settings.refuseWith = 4004;
        return {};
      },
      code: 'ORGO_DISCORD_FAILED',
      text: /4004/,
    },
    {
      name: 'a gateway that closes with 4004',
      prepare: (discord: StandIn) => {
        discord.gateway.settings.refuseWith = 4004;
        return {};
      },
      code: 'ORGO_BAD_TOKEN',
      text: /does not accept/,
    },
  ] as const;

  for (const { name, prepare, code, text } of cases) {
    test(`${name} is one clear error, and tried again after 1 s, then 2 s, without a storm`, async () => {
      await withVoice(
        { daveVersion: 0 },
        async (rig, discord) => {
          rig.voice.join();
          const waits = (): number[] =>
            rig.states.flatMap((state) => (state.kind === 'waiting' ? [state.retryInMs] : []));
          await rig.until(() => waits().length === 2);
          assert.deepEqual(waits(), [1000, 2000]);
          assert.deepEqual(
            rig.errors.map((error) => error.code),
            [code],
          );
          assert.match(rig.errors[0]!.message, text);
          assert.ok(!JSON.stringify([rig.states, rig.events, rig.errors.map(String)]).includes(TOKEN));
          assert.ok(discord.gateway.identifies.length <= 2);
          assert.ok(discord.voice.identifies.length <= 2);
        },
        prepare,
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

  test('429 is obeyed: nothing is asked before its retry_after', async () => {
    await withVoice(
      { daveVersion: 0 },
      async (rig, discord) => {
        rig.voice.join();
        await rig.state('ready');
        const [first, second] = discord.gateway.requests.filter(({ path }) => path === '/gateway/bot');
        assert.ok(second!.at - first!.at >= 1500, `${second!.at - first!.at} ms`);
      },
      (discord) => {
        discord.gateway.settings.rateLimit = { times: 1, retryAfterS: 1.5 };
        return {};
      },
    );
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

describe('the relay process', options, () => {
  let discord: StandIn;
  before(async () => {
    if (obstacle === undefined) discord = await StandIn.start({ daveVersion: 0 });
  });
  after(async () => {
    if (obstacle === undefined) await discord.stop();
  });

  test('that is killed is told, and started again', async () => {
    const rig = new VoiceRig(discord);
    rig.voice.join();
    await rig.state('ready');
    const pid = rig.voice.relayPid!;
    process.kill(pid, 'SIGKILL');
    const { error, retryInMs } = await rig.state('waiting');
    assert.match(error.message, /SIGKILL/);
    assert.equal(retryInMs, 1000);
    await rig.state('ready');
    assert.notEqual(rig.voice.relayPid, pid);
    await rig.voice.close();
  });

  test('knows the token, and neither its command line nor its environment does', async () => {
    const rig = new VoiceRig(discord);
    rig.voice.join();
    await rig.state('ready');
    const { readFile } = await import('node:fs/promises');
    for (const file of ['cmdline', 'environ'])
      assert.ok(!(await readFile(`/proc/${rig.voice.relayPid!}/${file}`, 'utf8')).includes(TOKEN));
    await rig.voice.close();
  });
});
