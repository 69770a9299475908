/** How a voice lives at a stand-in Discord: moves, kicks, closes of every kind, coming back. */
import assert from 'node:assert/strict';
import { describeWith, needs } from '../../support/needs';
import { BOT, OTHER_VOICE, TEXT, VOICE } from '../../discord/support/stand-in';
import { VoiceRig, withVoice } from '../../discord/support/voice-rig';

describeWith(needs('node24-discord'), 'life in Discord', ({ test }) => {
  const plain = { daveVersion: 0 } as const;

  test('moves when told to, and follows when it is dragged', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      rig.voice.move(OTHER_VOICE);
      const moved = await rig.event('moved');
      assert.deepEqual([moved.from, moved.to], [VOICE, OTHER_VOICE]);
      await rig.inChannel(OTHER_VOICE);
      discord.gateway.place(discord.gateway.sessionOf(BOT), VOICE);
      await rig.inChannel(VOICE);
      await rig.isHeard();
      assert.deepEqual(rig.errors, []);
    });
  });

  test('refuses to move to a text channel, says why, and stays', async () => {
    await withVoice(plain, async (rig) => {
      rig.voice.join();
      await rig.state('ready');
      rig.voice.move(TEXT);
      await rig.until('an error', () => rig.errors.length > 0);
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
        await rig.isHeard();
      });
    });
  }

  test('comes back where the voice server ends in the middle of a frame', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      discord.voice.breakOff(BOT);
      await rig.event('reconnecting');
      await rig.state('ready');
      assert.equal(discord.voice.resumes.length, 1);
      await rig.isHeard();
      assert.deepEqual(rig.errors, []);
    });
  });

  test('follows a change of the voice server', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      discord.gateway.sendVoiceServer(discord.gateway.sessionOf(BOT));
      await rig.until('another join', () => discord.voice.identifies.length === 2);
      await rig.event('reconnecting');
      await rig.state('ready');
      await rig.isHeard();
    });
  });

  test('resumes the main gateway, and stays in the channel meanwhile', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      discord.gateway.sessionOf(BOT).socket?.close(4000);
      await rig.until('a resumed gateway', () => discord.gateway.resumes.length === 1);
      await rig.state('ready');
      assert.equal(discord.gateway.identifies.length, 1);
      assert.equal(discord.voice.identifies.length, 1);
    });
  });

  test('resumes a main gateway that ends in the middle of a frame', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      discord.gateway.breakOff(discord.gateway.sessionOf(BOT));
      await rig.until('a resumed gateway', () => discord.gateway.resumes.length === 1);
      await rig.state('ready');
      assert.deepEqual([discord.gateway.identifies.length, discord.voice.identifies.length], [1, 1]);
      assert.deepEqual(rig.errors, []);
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
      await rig.until('an empty channel', () => discord.voice.clients.length === 0);
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
