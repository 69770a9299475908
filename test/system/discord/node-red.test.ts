/** The node in a real Node-RED 5 on Node 24, at a stand-in Discord: a listener hears what the flow says, decrypted. */
import assert from 'node:assert/strict';
import { chooseLibrary } from '../../../src/opus/choose-library';
import { OpusCodec } from '../../../src/opus/codec';
import { userDirectoryWithLink } from '../../support/linked-package';
import { describeWith, needs } from '../../support/needs';
import { startNodeRed, type FlowNode, type NodeRed } from '../../support/node-red';
import { NEWER_RUNTIME, type UserDirectory } from '../../support/runtimes';
import { channelOf, measureTone } from '../../support/tone';
import { GUILD, LISTENERS, StandIn, TOKEN, VOICE, type Listener } from '../../discord/support/stand-in';
import { HZ, RATE } from '../../discord/support/voice-rig';

/** A second of a tone at a quarter of full scale, as a recording. */
const SAY = `
const pcm = Buffer.alloc(2 * ${RATE});
for (let i = 0; i < ${RATE}; i++)
  pcm.writeInt16LE(Math.round(8192 * Math.sin((2 * Math.PI * ${HZ} * i) / ${RATE})), 2 * i);
const audio = { encoding: 's16le', sampleRate: ${RATE}, channels: 1 };
return { payload: pcm, audio, complete: true };`;

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
    let userDir: UserDirectory;
    let nodeRed: NodeRed;

    before(async () => {
      discord = await StandIn.start();
      userDir = await userDirectoryWithLink();
      const { NODE_PATH = '', NODE_EXTRA_CA_CERTS = '' } = discord.program.env;
      nodeRed = await startNodeRed({
        ...{ ...NEWER_RUNTIME, userDir: userDir.path },
        env: { NODE_PATH, NODE_EXTRA_CA_CERTS },
      });
    });
    after(async () => {
      await nodeRed.stop();
      await userDir.remove();
      await discord.stop();
    });

    test('is heard in the channel, end-to-end encrypted, and its token is in no log', async () => {
      await nodeRed.deploy(flow(discord.gateway.apiUrl));
      await nodeRed.status('voice', (text) => text === 'nobody listens');
      listener = await discord.listen(LISTENERS[0]);
      await nodeRed.status('voice', (text) => text === 'encrypted');
      await nodeRed.press('button');
      while (listener.heard.filter(({ packet }) => packet.length > 8).length < 50)
        await new Promise((resolve) => setTimeout(resolve, 20));
      const codec = new OpusCodec(chooseLibrary(), RATE, 2);
      const sounding = listener.heard.map(({ packet }) => packet).filter((packet) => packet.length > 8);
      const sound = channelOf(Buffer.concat(sounding.map((packet) => codec.decode(packet))), 2);
      codec.close();
      const { amplitude } = measureTone(sound, { hz: HZ, sampleRate: RATE }, 4800, 43_000);
      assert.ok(Math.abs(amplitude - 0.25) < 0.01, `amplitude ${amplitude}`);
      assert.deepEqual(listener.errors, []);
      assert.deepEqual(discord.voice.violations, []);
      const { msg } = await nodeRed.debug('events', (message) => message.msg.includes('"ready"'));
      assert.match(msg, new RegExp(VOICE));
      assert.ok(!nodeRed.log().includes(TOKEN));
    });
  },
);
