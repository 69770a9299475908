/** How a voice lives at a stand-in Discord: moves, kicks, closes of every kind, coming back. */
import assert from 'node:assert/strict';
import type { WebSocket } from 'ws';
import { describeWith, needs } from '../../support/needs';
import { BOT, OTHER_VOICE, TEXT, VOICE } from '../../discord/support/stand-in';
import { VoiceRig, withVoice } from '../../discord/support/voice-rig';

describeWith(needs('node24-discord'), 'life in Discord', ({ test }) => {
  const plain = { daveVersion: 0 } as const;

  test('moves when told to, follows when it is dragged, and stays where a move is refused', async () => {
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
      assert.equal(rig.errors.length, 0);
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
      const { identifies } = discord.gateway;
      const before = identifies.length;
      await rig.state('kicked');
      await rig.event('kicked');
      assert.equal(identifies.length, before);
      rig.voice.join();
      await rig.state('ready');
      assert.equal(identifies.length, before + 1);
    });
  });

  test('stays out after 4014, 4021 and 4022, each time until told to join again', async () => {
    await withVoice(plain, async (rig, discord) => {
      const codes = [4014, 4021, 4022];
      for (const [before, code] of codes.entries()) {
        rig.voice.join();
        await rig.state('ready');
        discord.voice.clientOf(BOT).socket.close(code);
        const { error } = await rig.state('kicked');
        assert.match(error.message, new RegExp(String(code)));
        assert.equal(discord.voice.identifies.length, before + 1);
        assert.equal(rig.errors.length, before + 1);
      }
      const kicks = rig.events.flatMap((each) => (each.event === 'kicked' ? [each.code] : []));
      assert.deepEqual(kicks, codes);
    });
  });

  /** The bot is back after `happens`, and is heard. */
  async function isBackAfter(rig: VoiceRig, happens: () => void): Promise<void> {
    const reconnects = (): number => rig.events.filter(({ event }) => event === 'reconnecting').length;
    const before = reconnects();
    happens();
    await rig.until('a reconnect', () => reconnects() > before);
    await rig.state('ready');
    await rig.isHeard();
    assert.deepEqual(rig.errors, []);
  }

  test('comes back after 4006, 4015 and a lost connection', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      const counts = (): number[] => [discord.voice.identifies.length, discord.voice.resumes.length];
      const socket = (): WebSocket => discord.voice.clientOf(BOT).socket;
      await isBackAfter(rig, () => socket().close(4006));
      assert.deepEqual(counts(), [2, 0]);
      await isBackAfter(rig, () => socket().close(4015));
      await isBackAfter(rig, () => socket().terminate());
      assert.deepEqual(counts(), [2, 2]);
    });
  });

  test('comes back where the voice server ends in the middle of a frame, and follows a change of it', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      await isBackAfter(rig, () => discord.voice.breakOff(BOT));
      assert.equal(discord.voice.resumes.length, 1);
      await isBackAfter(rig, () => discord.gateway.sendVoiceServer(discord.gateway.sessionOf(BOT)));
      assert.equal(discord.voice.identifies.length, 2);
    });
  });

  test('resumes a main gateway that closes, or ends in the middle of a frame, and stays in the channel', async () => {
    await withVoice(plain, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      const { gateway } = discord;
      gateway.sessionOf(BOT).socket?.close(4000);
      await rig.until('a resumed gateway', () => gateway.resumes.length === 1);
      await rig.state('ready');
      gateway.breakOff(gateway.sessionOf(BOT));
      await rig.until('a gateway resumed again', () => gateway.resumes.length === 2);
      await rig.state('ready');
      assert.deepEqual([gateway.identifies.length, discord.voice.identifies.length], [1, 1]);
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
