/** A clean install by Node 24, in a real Node-RED 5, at a stand-in Discord: a listener hears what the flow says. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { wavHeader } from '../../../src/containers/wav-header';
import { SILENCE_FRAMES_AT_END } from '../../../src/discord/sound-packet';
import { chooseLibrary } from '../../../src/opus/choose-library';
import { OpusCodec } from '../../../src/opus/codec';
import { fillIn, importExample, nodeOf, withFlowEnv, type Flow } from '../../support/examples';
import { describeWith, needs } from '../../support/needs';
import { freePort, startNodeRed, type FlowNode, type NodeRed } from '../../support/node-red';
import { packPackage } from '../../support/packed-package';
import { NEWER_RUNTIME, userDirectoryWith, type InstalledDirectory } from '../../support/runtimes';
import { channelOf, measureTone } from '../../support/tone';
import { BOT, GUILD, LISTENERS, StandIn, TOKEN, VOICE, type Listener } from '../../discord/support/stand-in';
import { HZ, isSilence, RATE, tone } from '../../discord/support/voice-rig';

/** A second of a tone at a quarter of full scale, as a recording. */
const SAY = `
const pcm = Buffer.alloc(2 * ${RATE});
for (let i = 0; i < ${RATE}; i++)
  pcm.writeInt16LE(Math.round(8192 * Math.sin((2 * Math.PI * ${HZ} * i) / ${RATE})), 2 * i);
const audio = { encoding: 's16le', sampleRate: ${RATE}, channels: 1 };
return { payload: pcm, audio, complete: true };`;

/** A test that awaits sound for so long awaits what will never be. */
const HANG_MS = 120_000;

/** One and a half seconds of the tone. */
function toneFile(): Buffer {
  const format = { encoding: 's16le', sampleRate: RATE, channels: 1 } as const;
  const pcm = Buffer.concat([...tone(1.5)].map(({ data }) => data));
  return Buffer.concat([wavHeader(format, pcm.length), pcm]);
}

function flow(apiUrl: string): FlowNode[] {
  const ids = { guildId: GUILD, channelId: VOICE };
  return [
    { id: 'tab', type: 'tab', label: 'voice' },
    { id: 'button', type: 'inject', z: 'tab', x: 100, y: 100, props: [], wires: [['say']] },
    { id: 'say', type: 'function', z: 'tab', x: 250, y: 100, func: SAY, outputs: 1, wires: [['voice']] },
    {
      ...{ id: 'voice', type: 'orgo-discord-voice', z: 'tab', x: 400, y: 100, apiUrl, ...ids },
      ...{ wires: [['events']], credentials: { token: TOKEN } },
    },
    {
      ...{ id: 'events', type: 'debug', z: 'tab', x: 550, y: 100, name: 'events', active: true },
      ...{ tosidebar: true, complete: 'payload', targetType: 'msg', wires: [] },
    },
  ];
}

describeWith(
  needs('node24-discord', ...NEWER_RUNTIME.needs),
  'a flow in Node-RED 5 on Node 24',
  ({ test, before, after }) => {
    let discord: StandIn;
    let listener: Listener;
    let userDir: InstalledDirectory;
    let nodeRed: NodeRed;

    before(async () => {
      discord = await StandIn.start();
      const packed = await packPackage();
      userDir = await userDirectoryWith(packed.file, NEWER_RUNTIME.node);
      await packed.remove();
      assert.doesNotMatch(userDir.said, /error|ERESOLVE|conflict|invalid/i);
      const { NODE_EXTRA_CA_CERTS = '' } = discord.program.env;
      nodeRed = await startNodeRed({
        ...{ ...NEWER_RUNTIME, userDir: userDir.path },
        env: { NODE_EXTRA_CA_CERTS },
      });
    });
    after(async () => {
      await nodeRed.stop();
      await userDir.remove();
      await discord.stop();
    });

    /** The listener hears a tone of 440 Hz, a quarter of full scale. */
    async function isHeard(): Promise<void> {
      const sounding = (): Buffer[] =>
        listener.heard.map(({ packet }) => packet).filter((packet) => packet.length > 8);
      const deadline = Date.now() + HANG_MS;
      const isOver = (): boolean => listener.heard.slice(-SILENCE_FRAMES_AT_END).every(isSilence);
      while (sounding().length < 50 || !isOver()) {
        assert.ok(Date.now() < deadline, `${sounding().length} packets with sound were heard`);
        await delay(20);
      }
      const codec = new OpusCodec(chooseLibrary(), RATE, 2);
      const sound = channelOf(Buffer.concat(sounding().map((packet) => codec.decode(packet))), 2);
      codec.close();
      const { amplitude } = measureTone(sound, { hz: HZ, sampleRate: RATE }, 4800, 43_000);
      assert.ok(Math.abs(amplitude - 0.25) < 0.01, `amplitude ${amplitude}`);
      listener.heard.length = 0;
    }

    /** An example, with the bot of the stand-in. */
    async function example(name: string): Promise<Flow> {
      const flow = await importExample(`discord/${name}`);
      const credentials = { token: TOKEN };
      const ids = { guildId: GUILD, channelId: VOICE, apiUrl: discord.gateway.apiUrl };
      return fillIn(flow, 'orgo-discord-voice', { ...ids, credentials });
    }

    test('is heard in the channel, end-to-end encrypted, and its token is in no log', async () => {
      await nodeRed.deploy(flow(discord.gateway.apiUrl));
      await nodeRed.status('voice', (text) => text === 'nobody listens');
      listener = await discord.listen(LISTENERS[0]);
      await nodeRed.status('voice', (text) => text === 'encrypted');
      await nodeRed.press('button');
      await isHeard();
      assert.deepEqual(listener.errors, []);
      assert.deepEqual(discord.voice.violations, []);
      const { msg } = await nodeRed.debug('events', (message) => message.msg.includes('"ready"'));
      assert.match(msg, new RegExp(VOICE));
      assert.ok(!nodeRed.log().includes(TOKEN));
    });

    test('says a file, and the answer of a service, as the example does; deployed anew while it joins', async () => {
      const file = join(userDir.path, 'tone.wav');
      await writeFile(file, toneFile());
      const service = createServer((_request, response) => response.end(toneFile())).listen(0, '127.0.0.1');
      try {
        await once(service, 'listening');
        const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
        const flow = withFlowEnv(await example('say-a-file'), { ORGO_SOUND_FILE: file, ORGO_SOUND_URL: url });
        const voice = nodeOf(flow, 'orgo-discord-voice').id;
        await nodeRed.deploy(flow);
        await nodeRed.deploy(flow);
        await nodeRed.status(voice, (text) => text === 'encrypted');
        for (const button of ['Say a file', 'Say an answer']) {
          listener.heard.length = 0;
          await nodeRed.press(nodeOf(flow, 'inject', button).id);
          await isHeard();
        }
      } finally {
        service.close();
      }
    });

    test("speaks a computer's sound, as the example does; what goes wrong reaches its Catch node", async () => {
      const imported = JSON.stringify(await example('computer-to-channel'));
      const ownPort = JSON.parse(imported.replaceAll('8772', String(await freePort()))) as Flow;
      const flow = fillIn(ownPort, 'orgo-audio-server', { source: 'test' });
      const voice = nodeOf(flow, 'orgo-discord-voice').id;
      await nodeRed.deploy(flow);
      await nodeRed.status(voice, (text) => text === 'encrypted');
      listener.heard.length = 0;
      const sounding = (): number => listener.heard.filter(({ packet }) => packet.length > 8).length;
      const deadline = Date.now() + HANG_MS;
      while (sounding() < 100) {
        assert.ok(Date.now() < deadline, `${sounding()} packets with sound were heard`);
        await delay(20);
      }
      discord.gateway.place(discord.gateway.sessionOf(BOT), null);
      const { msg } = await nodeRed.debug('Errors');
      assert.match(msg, /disconnected the bot/);
      await nodeRed.press(nodeOf(flow, 'inject', 'Join').id);
      await nodeRed.status(voice, (text) => text === 'encrypted');
    });
  },
);
