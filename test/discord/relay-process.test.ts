/** The process that speaks with Discord: how it ends, and what it keeps to itself. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { installNewerNode } from './support/newer-node';
import { StandIn, TOKEN } from './support/stand-in';
import { VoiceRig } from './support/voice-rig';

const obstacle = installNewerNode();
const options = { skip: obstacle ?? false };

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
    for (const file of ['cmdline', 'environ'])
      assert.ok(!(await readFile(`/proc/${rig.voice.relayPid!}/${file}`, 'utf8')).includes(TOKEN));
    await rig.voice.close();
  });
});
