/** The voice at a stand-in Discord, through Discord's own libraries: what two real clients hear of it. */
import assert from 'node:assert/strict';
import { describeWith, needs } from '../../support/needs';
import { SILENCE_FRAME, SILENCE_FRAMES_AT_END } from '../../../src/discord/sound-packet';
import { chooseLibrary } from '../../../src/opus/choose-library';
import { OpusCodec } from '../../../src/opus/codec';
import { channelOf, measureTone } from '../../support/tone';
import { BOT, LISTENERS, VOICE, type Heard, type StandIn } from '../../discord/support/stand-in';
import type { Mode } from '../../discord/support/transport-encryption';
import { HZ, isSilence, RATE, tone, withVoice, type VoiceRig } from '../../discord/support/voice-rig';

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

describeWith(needs('node24-discord'), 'a voice in a channel', ({ test }) => {
  for (const mode of ['aead_aes256_gcm_rtpsize', 'aead_xchacha20_poly1305_rtpsize'] as Mode[]) {
    test(`is heard by two real clients, end-to-end encrypted, over ${mode}`, async () => {
      await withVoice({ modes: [mode] }, async (rig, discord) => {
        rig.voice.join();
        const alone = await rig.state('securing');
        assert.equal(alone.channelId, VOICE);
        const listeners = await Promise.all(LISTENERS.map((userId) => discord.listen(userId)));
        await rig.state('encrypted');
        // Both are in the group: two transitions, or one that added both.
        await rig.until(
          'a settled group',
          () => discord.voice.group.size === 3 && discord.voice.group.isSettled,
        );
        const words = await rig.isKnownTo(listeners);
        const sentTo = (i: number): number => discord.voice.clientOf(LISTENERS[i]!).counter;
        const before = listeners.map(({ heard }) => heard.length);
        const unheard = before.map((heard, i) => sentTo(i) - heard);
        rig.say(1);
        await rig.hasEnded(words + 1);
        await rig.until('all that was sent, heard by all', () =>
          listeners.every(({ heard }, i) => heard.length + unheard[i]! === sentTo(i)),
        );
        for (const [i, { heard, errors }] of listeners.entries()) {
          const { amplitude, packets } = heardTone(heard.slice(before[i]));
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
      const received = () => discord.voice.receivedFrom(BOT);
      // Over several of the relay's reports, so that it has looked at the encryption in between.
      for (let count = 1; count <= 3; count++) {
        const position = (count - 1) * 960;
        stream.push({ format, data, samples: 960, position, time: position / 48, gap: 0, latencyMs: 0 });
        const isDropped = (): boolean => rig.voice.stats?.dropped === count;
        await rig.until('a packet, dropped or sent', () => isDropped() || received().length > 0);
      }
      assert.deepEqual(received(), []);
    });
  });

  test('speaks plainly, and says so, where the server offers no encryption', async () => {
    await withVoice({ daveVersion: 0 }, async (rig, discord) => {
      rig.voice.join();
      await rig.state('ready');
      rig.say(0.5);
      await rig.hasEnded(1);
      assert.ok(!rig.states.some(({ kind }) => kind === 'encrypted'));
      const received = discord.voice.receivedFrom(BOT);
      const { amplitude } = heardTone(received.map(({ at, payload }) => ({ at, packet: payload })));
      assert.ok(Math.abs(amplitude - 0.25) < 0.01, `amplitude ${amplitude}`);
      assert.deepEqual(
        discord.voice.clientOf(BOT).speaking.map(({ on }) => on),
        [true, false],
      );
      assert.deepEqual(discord.voice.violations, []);
    });
  });

  test('has RTP times that go on through a pause, as the receivers count them', async () => {
    const body = async (rig: VoiceRig, discord: StandIn): Promise<void> => {
      rig.voice.join();
      await rig.state('ready');
      rig.say(0.1);
      await rig.hasEnded(1);
      // Between two of them is half a second.
      const stats = (): number => rig.events.filter(({ event }) => event === 'stats').length;
      const told = stats();
      await rig.until('two statistics', () => stats() >= told + 2);
      rig.say(0.1);
      await rig.hasEnded(2);
      const times = discord.voice.receivedFrom(BOT).map(({ timestamp }) => timestamp);
      const steps = times.slice(1).map((time, i) => (time - times[i]! + 2 ** 32) % 2 ** 32);
      assert.ok(Math.max(...steps) >= 0.5 * RATE, `steps of ${Math.max(...steps)} samples at most`);
      assert.deepEqual(discord.voice.violations, []);
    };
    await withVoice({ daveVersion: 0 }, body, () => ({}), { hurry: 20 });
  });

  test('hears a live source that speaks already when the bot comes', async () => {
    await withVoice({ daveVersion: 0 }, async (rig) => {
      const stream = rig.voice.openStream('live');
      const live = tone(10);
      let position = 0;
      const timer = setInterval(() => {
        const frame = live.next();
        if (frame.done !== true) stream.push({ ...frame.value, position, time: position / 48 });
        position += 960;
      }, 20);
      rig.voice.join();
      await rig.state('ready');
      try {
        await rig.received(30);
      } finally {
        clearInterval(timer);
      }
    });
  });

  test('loses at most 100 ms when someone joins or leaves the encrypted group', async () => {
    await withVoice({}, async (rig, discord) => {
      rig.voice.join();
      const staying = await discord.listen(LISTENERS[0]);
      await rig.state('encrypted');
      await rig.isKnownTo([staying]);
      const unheard = (): number => discord.voice.receivedFrom(BOT).length - staying.heard.length;
      const before = unheard();
      await rig.speakWhile(async () => {
        const coming = await discord.listen(LISTENERS[1]);
        await rig.until('sound at the newcomer', () => coming.heard.length >= 25);
        await coming.leave();
        await rig.until(
          'a group of two',
          () => discord.voice.group.size === 2 && discord.voice.group.isSettled,
        );
        const mark = staying.heard.length;
        await rig.until('more sound', () => staying.heard.length >= mark + 25);
      });
      await rig.until('the end, heard', () => staying.heard.slice(-SILENCE_FRAMES_AT_END).every(isSilence));
      assert.ok(unheard() - before <= 5, `${unheard() - before} packets lost`);
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
      await rig.hasEnded(1);
      assert.ok(listener.heard.length < discord.voice.receivedFrom(BOT).length);
      assert.deepEqual(listener.errors, []);
      assert.deepEqual(discord.voice.violations, []);
    });
  });
});
